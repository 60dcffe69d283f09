/** Style sheet of a report: light or dark as the system has it, and for print. */
export const PAGE_STYLE = `
:root { --ink: #1f2933; --muted: #5b6770; --rule: #d9e0e5; --page: #ffffff; --soft: #f4f6f8; --mark: #0173b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e8eb; --muted: #9aa5ad; --rule: #36414a; --page: #161b1f; --soft: #20272d; --mark: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 16px/1.55 Inter, system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
main { max-width: 948px; margin: 0 auto; padding: 48px 24px 72px; }
.kind { margin: 0; color: var(--muted); font-size: 14px; }
h1 { margin: 4px 0 12px; font-size: 30px; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 48px 0 12px; font-size: 20px; line-height: 1.3; }
.result { margin: 0 0 28px; padding-left: 14px; border-left: 4px solid var(--mark); font-size: 20px; line-height: 1.45; }
.wide { overflow-x: auto; margin: 20px 0 8px; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 15px; }
th, td { padding: 8px 12px; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top;
  white-space: nowrap; }
th:first-child { text-align: left; padding-left: 0; }
td:last-child, th:last-child { padding-right: 0; }
thead th { color: var(--muted); font-size: 13px; font-weight: 500; border-bottom: 2px solid var(--rule); }
tbody th { font-weight: 600; }
tfoot th, tfoot td { border-bottom: 0; font-weight: 600; }
.dense { font-size: 14px; }
.dense :is(th, td) { padding: 6px 5px; }
.dense :is(th, td):first-child { padding-left: 0; }
.dense :is(th, td):last-child { padding-right: 0; }
td small { display: block; color: var(--muted); font-size: 12.5px; line-height: 1.35; }
.note, figcaption { color: var(--muted); font-size: 13.5px; line-height: 1.5; margin: 8px 0 0; }
figure { margin: 0; }
.plot { border: 1px solid var(--rule); border-radius: 8px; background: #ffffff; overflow: hidden; }
.plot svg { display: block; width: 100%; height: auto; }
pre { margin: 8px 0 20px; padding: 14px 16px; border-radius: 8px; background: var(--soft); font-size: 14px;
  white-space: pre-wrap; overflow-wrap: anywhere; }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 6px 24px; margin: 0 0 24px; font-size: 15px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
@media print {
  :root { --ink: #000000; --muted: #444444; --rule: #cccccc; --page: #ffffff; --soft: #f4f4f4; --mark: #0173b2; }
  @page { margin: 16mm; }
  body { font-size: 11pt; }
  main { max-width: none; padding: 0; }
  h2 { margin-top: 24px; break-after: avoid; }
  figure, tr, pre, dl { break-inside: avoid; }
}
`;
