"""The look of the landing page: one small style sheet, light and dark."""

CSS = """
:root { color-scheme: light dark; --ink: #14202b; --soft: #52616f; --line: #d9e0e6;
  --paper: #f6f8fa; --card: #ffffff; --accent: #0b6bb5; --frame: #e9eef2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa8b5; --line: #2b3743;
  --paper: #0e151b; --card: #16202a; --accent: #6cb8f0; --frame: #0a1015; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover, a:focus-visible { text-decoration: underline; }
header, main, footer { max-width: 72rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 3rem; padding-bottom: 1.5rem; }
h1 { margin: 0 0 .4rem; font-size: 2.1rem; line-height: 1.2; letter-spacing: -.02em; }
h2 { margin: 2.75rem 0 1rem; font-size: 1.3rem; letter-spacing: -.01em; }
h3 { margin: 0; font-size: 1.08rem; line-height: 1.3; }
header p { margin: .25rem 0; max-width: 48rem; color: var(--soft); }
nav { display: flex; flex-wrap: wrap; gap: .6rem; margin-top: 1.4rem; }
.button { padding: .5rem 1rem; border-radius: .5rem; border: 1px solid var(--line);
  background: var(--card); color: var(--ink); font-weight: 550; }
.button.main { background: var(--accent); border-color: var(--accent); color: #fff; }
@media (prefers-color-scheme: dark) { .button.main { color: #07121b; } }
.cubes { display: grid; gap: 1.25rem; padding: 0; margin: 0; list-style: none;
  grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); }
.cube { display: flex; flex-direction: column; overflow: hidden; border-radius: .75rem;
  border: 1px solid var(--line); background: var(--card); }
.cube .picture { display: block; height: 11rem; background: var(--frame); }
.cube img { width: 100%; height: 100%; object-fit: contain; display: block; }
.cube .text { display: flex; flex-direction: column; gap: .45rem; flex: 1; padding: 1rem 1.1rem; }
.cube p { margin: 0; color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; }
.cube .abstract { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 3;
  overflow: hidden; }
.cube code { font-size: .85rem; }
.links { display: flex; flex-wrap: wrap; gap: .2rem .9rem; margin-top: auto; padding-top: .5rem;
  font-size: .9rem; }
table { border-collapse: collapse; width: 100%; font-size: .95rem; }
th, td { text-align: left; padding: .5rem .9rem .5rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
.wide { overflow-x: auto; }
@media (max-width: 40rem) { tr { display: block; padding: .5rem 0;
    border-bottom: 1px solid var(--line); }
  th, td { display: block; border: 0; padding: .1rem 0; } td code { overflow-wrap: anywhere; } }
details { border: 1px solid var(--line); border-radius: .6rem; background: var(--card);
  margin-bottom: .7rem; }
summary { cursor: pointer; padding: .7rem 1rem; font-weight: 600; }
details > div { padding: 0 1rem 1rem; }
details p { margin: .2rem 0 .6rem; color: var(--soft); }
pre { margin: 0; padding: .8rem 1rem; overflow-x: auto; border-radius: .5rem; user-select: all;
  background: var(--frame); }
code, pre { font: .875rem/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.empty { padding: 2rem; border: 1px dashed var(--line); border-radius: .75rem; }
footer { margin-top: 3.5rem; padding-top: 1.2rem; padding-bottom: 2.5rem; font-size: .875rem;
  color: var(--soft); border-top: 1px solid var(--line); }
footer p { margin: .2rem 0; }
"""
