const DARK = '--paper: #16171a; --ink: #e9e6df; --soft: #a5a198; --line: #35363b; --panel: #1e2024;';

/** The style of a report: text first, two accents with at least 4.5 : 1 contrast on both backgrounds. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf7; --ink: #1f1e1b; --soft: #5f5c55; --line: #dedad1; --panel: #f3f1eb; }
@media (prefers-color-scheme: dark) {
  :root:not([data-theme="light"]) { ${DARK} }
}
:root[data-theme="dark"] { color-scheme: dark; ${DARK} }
:root[data-theme="light"] { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
h1 { font: 600 1.9rem/1.2 Charter, "Bitstream Charter", Georgia, serif; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font: 600 1.2rem/1.3 Charter, "Bitstream Charter", Georgia, serif; margin: 2.6rem 0 .6rem; }
h3 { font-size: .95rem; margin: 0; }
p { margin: .3rem 0; max-width: 46rem; }
.soft { color: var(--soft); }
.runs { list-style: none; margin: 1.2rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .5rem 1.4rem; }
.swatch { display: inline-block; width: 1.4em; height: 0; border-top: 3px solid; vertical-align: middle; margin-right: .45em; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 18rem), 1fr)); gap: 1.8rem 2rem; }
.chart.wide { grid-column: 1 / -1; }
.chart p { font-size: .85rem; }
.plot { min-height: 12rem; margin-top: .4rem; }
.table { overflow-x: auto; }
.table + h3 { margin-top: 1.6rem; }
.table:focus-visible { outline: 2px solid currentcolor; }
.table table { border-collapse: collapse; font-size: .88rem; font-variant-numeric: tabular-nums; }
.table th, .table td { text-align: left; padding: .25rem 1.4rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: break-word; }
.table th { font-weight: 500; color: var(--soft); white-space: nowrap; }
tr.differs td { font-weight: 650; }
.sample { border-top: 1px solid var(--line); padding: .7rem 0; display: grid; grid-template-columns: 6rem 1fr; gap: .2rem 1rem; }
.sample pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font: .85rem/1.5 ui-monospace, SFMono-Regular, Menlo, monospace; }
@media (max-width: 36rem) { .sample { grid-template-columns: 1fr; } }
.u-legend .edge { display: none; }
.u-legend { font-size: .8rem; text-align: left; } .u-legend .u-value { font-variant-numeric: tabular-nums; }
`;
