"""The style of the HTML report: one column of text, tables as wide as the page, both themes, paper."""

STYLE = """\
:root{--ground:#fff;--raised:#f5f6f4;--ink:#1d2327;--soft:#545c66;--rule:#d9dcd8;--link:#1a5a96;--reach:#1f63a8;
--border:#3c4147;--county:#fff;--warn:#8a3b00;--warn-ground:#fdf3e9;color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14171a;--raised:#1d2125;--ink:#e8eaec;--soft:#a9b1ba;
--rule:#363c43;--link:#8fc1ee;--reach:#6cb3e0;--border:#c3c8cd;--county:#14171a;--warn:#ffb77a;--warn-ground:#2b2018}}
*{box-sizing:border-box}
html{font:100%/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;scroll-behavior:auto;
-webkit-text-size-adjust:100%}
body{margin:0 auto;padding:2.5rem 2rem 4rem;max-width:74rem;background:var(--ground);color:var(--ink);
overflow-wrap:break-word}
h1,h2,h3{line-height:1.2;text-wrap:balance;margin:0}
h1{font-size:2rem;letter-spacing:-.015em;margin-bottom:.75rem}
section>h2{font-size:1.45rem;letter-spacing:-.01em;padding-top:1.5rem;border-top:2px solid var(--ink);margin-bottom:.75rem}
h3{font-size:1.05rem;margin:1.75rem 0 .25rem}
p,ul{max-width:46rem;margin:0 0 .9rem}
section{margin-top:3rem}
h2{scroll-margin-top:1rem}
a{color:var(--link)}
a:focus-visible,.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999rem}
.skip:focus{position:static;display:inline-block;padding:.4rem .8rem}
code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;background:var(--raised);padding:.1em .3em;
border-radius:3px}
.warning{color:var(--warn);background:var(--warn-ground);border-left:4px solid var(--warn);padding:.7rem 1rem;
max-width:none}
.figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(11.5rem,1fr));gap:0 1.75rem;margin:1.75rem 0 0}
.figures div{display:flex;flex-direction:column-reverse;justify-content:flex-end;border-top:1px solid var(--rule);
padding:.6rem 0 1rem}
.figures dd{margin:0;font-size:1.4rem;font-weight:650;line-height:1.25;letter-spacing:-.01em;white-space:nowrap;
font-variant-numeric:tabular-nums}
.figures dt{color:var(--soft);font-size:.85rem;line-height:1.35}
nav{margin-top:2.5rem}
nav h2{font-size:.85rem;color:var(--soft);font-weight:600;margin-bottom:.4rem}
nav ol{margin:0;padding:0;list-style:none;columns:3 14rem;column-gap:2rem;font-size:.95rem}
nav li{break-inside:avoid;padding:.12rem 0}
nav a{display:inline-block;padding:.1rem 0;text-decoration-thickness:1px;text-underline-offset:.18em}
figure{margin:1.25rem 0 0}
.map{display:block;width:100%;height:auto}
.map g path{fill-rule:evenodd;stroke:var(--county);stroke-width:.8}
.map .border{fill:none;stroke:var(--border);stroke-width:2.2;stroke-linejoin:round}
.map .callouts line{stroke:var(--ink);stroke-width:2.5}
.map .callouts circle{fill:var(--ground);stroke:var(--ink);stroke-width:2.2}
.map .callouts .dot{fill:var(--ink);stroke:var(--ground);stroke-width:2}
.map text{font-size:25px;font-weight:700;fill:var(--ink)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;list-style:none;padding:0;margin:.4rem 0;max-width:none;
font-size:.85rem}
.swatch{display:inline-block;width:1.5rem;height:.85rem;margin-right:.45rem;border:1px solid var(--soft);
vertical-align:-.08rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}
figcaption{color:var(--soft);font-size:.85rem}
.scroll{overflow-x:auto;margin:.9rem 0 1.25rem}
table{border-collapse:collapse;min-width:min(100%,46rem);font-size:.875rem;line-height:1.4;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);padding-bottom:.4rem}
caption span{display:block;max-width:min(46rem,calc(100vw - 2rem))}
thead th{border-bottom:1.5px solid var(--ink);color:var(--soft);font-weight:600;vertical-align:bottom}
th,td{text-align:left;vertical-align:top;padding:.42rem .9rem .42rem 0}
th:last-child,td:last-child{padding-right:0}
tbody tr{border-bottom:1px solid var(--rule)}
tbody th{font-weight:600}
.right{text-align:right}
td.right,.date{white-space:nowrap}
.mark{display:block;width:5.5rem;height:5px;margin:.2rem 0 .15rem}
.mark .axis{fill:var(--rule)}
.mark .reach{fill:var(--reach)}
summary{cursor:pointer;color:var(--link);padding:.3rem 0}
@media (max-width:45rem){body{padding:1.25rem 1rem 3rem}h1{font-size:1.6rem}nav ol{columns:1}nav a{padding:.35rem 0}
.figures{grid-template-columns:repeat(2,1fr);gap:0 1rem}.figures dd{font-size:1.15rem}
th,td{padding-right:.7rem}td:last-child:not(.right){min-width:15rem}.map .border{stroke-width:3}}
@media print{@page{size:A4;margin:16mm 14mm}html{font-size:62.5%}body{padding:0;max-width:none}
.skip,summary{display:none}section{margin-top:2rem}section>h2{break-after:avoid}h3,caption{break-after:avoid}
figure,tr,.figures{break-inside:avoid}.map{max-height:85mm}thead{display:table-header-group}.scroll{overflow:visible}
a{color:inherit;text-decoration:none}.map g path,.mark rect{print-color-adjust:exact;-webkit-print-color-adjust:exact}
tbody th,td{overflow-wrap:anywhere}
details::details-content{content-visibility:visible;block-size:auto}}
"""
