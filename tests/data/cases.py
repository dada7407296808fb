"""A small MATPOWER case with every oddity that the format allows, and points for its buses; and one to run."""

# ruff: noqa: E101 -- tabs are how MATPOWER writes its tables
# Two rows on a line, commas, continued lines, comments that look like code, a base that is not 100 MVA.
ODD = r"""function mpc = odd
%ODD  mpc.bus = [ 9 9 9 ];
mpc.version = '2';
mpc.baseMVA = 50.0;   % not 100
%{
mpc.branch = [ 7 7 7 ];
%}
mpc.bus = [  % bus_i type Pd Qd Gs Bs area Vm Va baseKV zone Vmax Vmin
	1	3	0	0	0	0	1	1	0	345	1	1.1	0.9; 2 1 90 30 0 0 1 1 0 345 1 1.1 0.9;
	3, 1, -20, 35, 1.5, 0, 1, 1, 0, 138, 1, 1.1, 0.9;
	4	2	1e2	0 ...
	  0 0 2 1 0 138 1 1.1 0.9
	5	4	10	0	0	0	2	1	0	138	1	1.1	0.9	% isolated
	6	1	5	0	0	0	2	1	0	0	1	1.1	0.9	% no base voltage
	7	1	5	0	0	0	2	1	0	69	1	1.1	0.9	% an island with 8
	8	1	abc	0	0	0	2	1	0	69	1	1.1	0.9
	8	1	7	0	0	0	2	1	0	69	1	1.1	0.9
];
mpc.gen = [
	1	72	0	300	-300	1	50	1	250	10
	4	60	0	300	-300	1	50	1	Inf	10
	4	0	0	300	-300	1	50	0	80	10
	2	-5	0	300	-300	1	50	1	0	-50
	99	1	0	300	-300	1	50	1	10	0
	5	1	0	300	-300	1	50	1	10	0
];
mpc.branch = [
	1	2	0.01	0.1	0	250	250	250	0	0	1	-360	360	40	0	-40	0
	1	2	0.01	0.1	0	250	250	250	0	0	1	-360	360	40	0	-40	0
	2	3	0	0.05	0	0	0	0	0.98	0	1	-360	360	12.5	0	-12	0
	3	4	0	-0.02	0	9900	0	0	0	0	1	-360	360	1	0	-1	0
	4	6	0	0	0	100	0	0	0	5	1	-360	360	1	0	-1	0
	4	5	0	0.1	0	100	0	0	0	0	1	-360	360	0	0	0	0
	1	4	0	0.1	0	100	0	0	0	0	0	-360	360	0	0	0	0
	7	8	0	0.1	0	100	0	0	0	0	1	-360	360	0	0	0	0
	1	98	0	0.1	0	100	0	0	0	0	1	-360	360	0	0	0	0
];
mpc.dcline = [ 1 7 1 10 9.5 0 0 1 1 -20 50 0 0 0 0 0 0; 2 7 0 0 0 0 0 1 1 0 5 0 0 0 0 0 0 ];
mpc.gencost = [ 2 0 0 3 0.1 5 150; 2 0 0 3 0.1 5 150 ];
mpc.genfuel = { 'ng'; 'wind'; 'unknown'; 'ess'; 'coal'; 'coal' };
mpc.bus_name = {
	'ONE; "x"'; 'TWO % b'
	'THREE'''; 'FOUR'; 'FIVE'; 'SIX'; 'SEVEN'; 'EIGHT'; 'EIGHT AGAIN'
};
"""

POINTS = """bus_id,lon,lat,substation
1,-77.49,39.04,ASHBURN
2,-77.49,39.041,ASHBURN
3,-77.42,39.00,
4,-77.42,39.001,
5,-77.56,39.11,
7,-77.80,38.71,
7,-77.81,38.71,
8,-77.49,390.4,
77,-77.0,39.0,
"""

# Two substations of two buses each, one of one, and a bus that nobody can place.
SMALL = """function mpc = small
mpc.version = '2';
mpc.baseMVA = 100;
mpc.bus = [
	1	3	0	0	0	0	1	1	0	230	1	1.1	0.9;
	2	1	80	0	0	0	1	1	0	115	1	1.1	0.9;
	3	2	20	0	0	0	1	1	0	230	1	1.1	0.9;
	4	1	60	0	0	0	1	1	0	115	1	1.1	0.9;
	5	1	40	0	0	0	2	1	0	115	1	1.1	0.9;
	6	1	10	0	0	0	2	1	0	115	1	1.1	0.9;
];
mpc.gen = [
	1	150	0	0	0	1	100	1	600	0;
	3	60	0	0	0	1	100	1	300	0;
];
mpc.branch = [
	1	3	0	0.05	0	300	0	0	0	0	1	-360	360;
	1	3	0	0.05	0	300	0	0	0	0	1	-360	360;
	1	2	0	0.08	0	250	0	0	1	0	1	-360	360;
	3	4	0	0.08	0	250	0	0	1	0	1	-360	360;
	2	4	0	0.20	0	150	0	0	0	0	1	-360	360;
	2	5	0	0.15	0	150	0	0	0	0	1	-360	360;
	4	5	0	0.15	0	150	0	0	0	0	1	-360	360;
	5	6	0	0.10	0	100	0	0	0	0	1	-360	360;
];
"""
SMALL_POINTS = """bus_id,lon,lat,substation
1,-77.49,39.04,ASHBURN
2,-77.49,39.04,ASHBURN
3,-77.10,38.98,BETHESDA
4,-77.10,38.98,BETHESDA
5,-77.35,39.42,
99,-77.35,39.42,
"""
