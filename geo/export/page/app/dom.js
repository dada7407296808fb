"use strict";
// Elements made from plain words. Data enters the page as text only, so no name can become markup.
(function () {
  const gridstead = (window.gridstead = window.gridstead || {});

  // Make an element: attributes as they are written in HTML, `on*` as listeners, children as text or elements.
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    append(element, children);
    return element;
  }

  function append(element, children) {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
  }

  // Put new children in the place of the old ones.
  function fill(element, ...children) {
    element.replaceChildren();
    append(element, children);
  }

  function byId(id) {
    return document.getElementById(id);
  }

  // Set a text only where it differs: nothing is laid out again for what stays.
  function write(element, words) {
    if (element.textContent !== words) element.textContent = words;
  }

  let saying = 0;

  // Tell those who hear the page; only the last of quick changes is told.
  function say(words, pause) {
    window.clearTimeout(saying);
    saying = window.setTimeout(() => {
      byId("said").textContent = words;
    }, pause || 50);
  }

  async function copy(words) {
    try {
      await navigator.clipboard.writeText(words);
      return true;
    } catch {
      // Without the clipboard's leave (as for a file in some browsers) the old way is through a selection.
      const area = make("textarea", { class: "hidden", "aria-hidden": "true" });
      area.value = words;
      document.body.append(area);
      area.select();
      const isCopied = document.execCommand("copy");
      area.remove();
      return isCopied;
    }
  }

  async function copyLink(button) {
    gridstead.state.writeHash();
    const link = window.location.href.split("#")[0] + gridstead.state.toHash();
    const words = (await copy(link)) ? "Link copied" : "Copy the address of the page";
    say(words);
    if (!button.dataset.words) button.dataset.words = button.textContent;
    button.textContent = words;
    window.setTimeout(() => {
      button.textContent = button.dataset.words;
    }, 1500);
  }

  gridstead.dom = { make, fill, byId, write, say, copyLink };
})();
