/** The page's style: one column of paper, light or dark by the reader's setting. */
export const STYLE = `
:root { color-scheme: light dark; --paper: #fbfaf7; --card: #fff; --ink: #1d1f24; --soft: #666b76; --line: #dedbd3; --accent: #275fa8;
  --zero: #f4f2ec; --plus: #b8401f; --minus: #2262b3; --most: #3b2a7a; --good: #cfe8d2; --bad: #f0917b; --warn: #b3261e; --on: #1d1f24; }
@media (prefers-color-scheme: dark) { :root { --paper: #14161a; --card: #1b1e24; --ink: #e8e6e1; --soft: #9aa0ac; --line: #31353d; --accent: #8ab8f2;
  --zero: #20242b; --plus: #ff8f63; --minus: #6cabff; --most: #cbb8ff; --good: #1f4a2c; --bad: #a53a26; --warn: #ff8a80; --on: #e8e6e1; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 3.5rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main, header { max-width: 1120px; margin: 0 auto; padding: 0 1.25rem; }
h1, h2, h3 { font-family: "Iowan Old Style", Palatino, "Palatino Linotype", Georgia, serif; font-weight: 600; line-height: 1.2; text-wrap: balance; }
h1 { font-size: 2.3rem; margin: 2.5rem 0 .5rem; } h2 { font-size: 1.6rem; margin: 3.5rem 0 .6rem; } h2 .step { color: var(--soft); font-weight: 400; margin-right: .6rem; }
h4 { margin: 1.4rem 0 .4rem; font-size: .95rem; } p { max-width: 44rem; } small { color: var(--soft); font-weight: 400; }
a { color: var(--accent); text-underline-offset: .15em; } code, pre, table, output, .byte, .text, .formula { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
nav { position: sticky; top: 0; z-index: 2; background: color-mix(in srgb, var(--paper) 92%, transparent); backdrop-filter: blur(6px); border-bottom: 1px solid var(--line); }
nav ol { display: flex; gap: .6rem; overflow-x: auto; list-style: none; margin: 0 auto; max-width: 1120px; padding: .6rem 1.25rem; white-space: nowrap; font-size: .88rem; }
nav a { color: inherit; text-decoration: none; } nav a:hover { color: var(--accent); text-decoration: underline; } nav li + li::before { content: "→"; color: var(--soft); margin-right: .6rem; }
.note { border-left: 3px solid var(--accent); padding: .1rem 0 .1rem .8rem; color: var(--soft); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: 8px; overflow: hidden; margin: 1.5rem 0; }
.facts div { background: var(--card); padding: .7rem .9rem; } .facts dt { color: var(--soft); font-size: .8rem; } .facts dd { margin: 0; font-size: 1rem; line-height: 1.35; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.bytes { display: flex; flex-wrap: wrap; gap: .5rem; } .slot { border: 1px solid var(--line); border-radius: 8px; padding: .15rem .35rem .35rem; background: var(--card); } .slot > div { display: flex; gap: .2rem; }
.byte { display: inline-flex; flex-direction: column; align-items: center; width: 2.9rem; padding: .2rem 0; border-radius: 6px; background: var(--card); border: 1px solid var(--line); }
.byte b { font-size: 1.1rem; line-height: 1.3; } .byte code { color: var(--soft); font-size: .75rem; } .byte.padding { opacity: .45; }
.bits { display: flex; gap: 1px; margin-top: .15rem; } .bits i { width: 4px; height: 9px; background: var(--line); border-radius: 1px; } .bits .on { background: var(--on); }
figure { margin: 1rem 0; } .map { position: relative; border: 1px solid var(--line); border-radius: 4px; overflow: hidden; background: var(--zero); }
.map canvas, .map svg { position: absolute; inset: 0; width: 100%; height: 100%; } canvas { image-rendering: pixelated; cursor: crosshair; } .map canvas:focus-visible { outline-offset: -2px; }
.map svg { pointer-events: none; } .map path { stroke: var(--ink); stroke-opacity: .55; stroke-width: 1; vector-effect: non-scaling-stroke; fill: none; }
.map .at { position: absolute; pointer-events: none; outline: 1.5px solid var(--ink); min-width: 3px; min-height: 3px; }
figcaption { font-size: .86rem; color: var(--soft); min-height: 3.1em; } figcaption b { color: var(--ink); } output { display: block; color: var(--ink); font-size: .8rem; overflow-wrap: anywhere; }
.source a { font-size: .8rem; } .pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 0 1.4rem; } .heads { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 230px), 1fr)); gap: 0 1rem; }
.pair figure, .heads figure { margin: .5rem 0; min-width: 0; } .named { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .6rem; }
.names { list-style: none; margin: 1rem 0 0; padding: 0; font: 11px/13px ui-monospace, monospace; color: var(--soft); text-align: right; } .names li { height: 13px; }
.scroll { overflow-x: auto; } .tall { max-height: 30rem; overflow-y: auto; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; width: 100%; } th, td { text-align: left; padding: .25rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; } thead th { color: var(--soft); font-weight: 500; background: var(--card); position: sticky; top: 0; } tbody th { font-weight: 600; }
.cost { background: color-mix(in oklab, var(--bad) calc(var(--b) * 100%), var(--good)); } .text { font-size: 1.15rem; line-height: 1.9; max-width: none; overflow-wrap: anywhere; } .text span { padding: .15em .06em; } .given { color: var(--soft); } .scale span { padding: .1rem .7rem; font-size: .8rem; }
.top span { display: inline-block; min-width: 6.2em; margin-right: .3em; padding: 0 .35em; background: linear-gradient(90deg, color-mix(in srgb, var(--accent) 28%, transparent) calc(var(--p) * 100%), transparent 0); border-radius: 3px; } .top .hit { box-shadow: inset 0 -2px var(--accent); }
.bar { display: block; height: .6rem; width: calc(var(--p) * 14rem); background: var(--accent); border-radius: 2px; opacity: .75; }
.tools { display: flex; gap: .8rem; flex-wrap: wrap; align-items: center; } .tools input { font: inherit; padding: .3rem .6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--card); color: inherit; min-width: 16rem; max-width: 100%; }
.op { border: 1px solid var(--line); border-radius: 6px; margin: .3rem 0; background: var(--card); scroll-margin-top: 4rem; } .op:target { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); } summary { cursor: pointer; }
.op > summary { padding: .4rem .8rem; display: flex; gap: .7rem; align-items: baseline; flex-wrap: wrap; font-size: .9rem; } .op .n { color: var(--soft); min-width: 2.4rem; } .scope, .shape { color: var(--soft); } .shape { font-family: ui-monospace, monospace; font-size: .8rem; } .time { margin-left: auto; color: var(--soft); font-variant-numeric: tabular-nums; }
.body { padding: 0 .9rem .9rem; border-top: 1px solid var(--line); } .formula { background: var(--zero); padding: .5rem .7rem; border-radius: 4px; max-width: none; overflow-x: auto; } .bars path { fill: var(--accent); } .label { color: var(--soft); } .bad { color: var(--warn); font-weight: 600; }
.parity, .dispatches { padding-left: 1.2rem; font-size: .85rem; } .dispatches span { color: var(--soft); margin-right: .9rem; font-size: .8rem; overflow-wrap: anywhere; } .code { margin: .4rem 0; } .code > summary { color: var(--accent); font-size: .88rem; }
.code pre { margin: .4rem 0; padding: .8rem; border-radius: 6px; background: var(--zero); overflow: auto; max-height: 36rem; font-size: .78rem; line-height: 1.5; tab-size: 2; } pre i { color: var(--soft); font-style: normal; } .links { display: grid; grid-template-columns: auto 1fr; gap: .15rem .9rem; font-size: .85rem; margin: .8rem 0 0; } .links dt { color: var(--soft); } .links dd { margin: 0; }
footer { max-width: 1120px; margin: 4rem auto 2rem; padding: 1rem 1.25rem; color: var(--soft); font-size: .85rem; border-top: 1px solid var(--line); }
@media (max-width: 640px) { h1 { font-size: 1.7rem; } h2 { font-size: 1.35rem; } .time { margin-left: 0; } .named { grid-template-columns: minmax(0, 1fr); } .names { display: none; } .byte { width: 2.4rem; } }
`;
