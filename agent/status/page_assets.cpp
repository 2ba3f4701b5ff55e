#include "agent/status/page.hpp"

namespace vipd::status {

std::string_view page_style()
{
    static constexpr std::string_view text = R"css(:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --card: #ffffff; --ink: #15191f; --dim: #5b6472; --line: #dde1e7; --link: #0b5cad;
  --active: #0a7a3d; --active-tint: #e2f5e9; --backup: #2b5c9e; --backup-tint: #e6eef9;
  --wrong: #b3261e; --wrong-tint: #fce8e6; --warn: #8a5300; --warn-tint: #fdf0d9; --none: #5b6472; --none-tint: #eceef2;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f1216; --card: #171b21; --ink: #e7eaee; --dim: #98a2b0; --line: #2a313a; --link: #7ab6f5;
    --active: #5cd88f; --active-tint: #12301f; --backup: #8dbbf5; --backup-tint: #14263d;
    --wrong: #ff8f86; --wrong-tint: #3b1614; --warn: #f2bb62; --warn-tint: #35270e; --none: #98a2b0; --none-tint: #232930;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.25rem; max-width: 80rem; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
  font-variant-numeric: tabular-nums;
}
h1, h2, h3, p, ul { margin: 0; }
a { color: var(--link); }
code, .mono { font: 0.9em/1.45 ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace; }
.text { unicode-bidi: isolate; overflow-wrap: anywhere; }
td.mono { overflow-wrap: break-word; }
.dim { color: var(--dim); }

.top { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1rem; margin-bottom: 1rem; }
.top h1 { font-size: 1.1rem; letter-spacing: 0.01em; }
.top .facts { color: var(--dim); font-size: 0.9rem; margin-left: auto; }

.verdict { border-radius: 12px; padding: 1.1rem 1.4rem; margin-bottom: 1rem; border: 1px solid; border-left-width: 8px; }
.verdict h2 { font-size: 1.75rem; line-height: 1.25; letter-spacing: -0.01em; }
.verdict p { margin-top: 0.2rem; color: var(--ink); }
.verdict.active { background: var(--active-tint); border-color: var(--active); }
.verdict.active h2 { color: var(--active); }
.verdict.backup { background: var(--backup-tint); border-color: var(--backup); }
.verdict.backup h2 { color: var(--backup); }
.verdict.wrong { background: var(--wrong-tint); border-color: var(--wrong); }
.verdict.wrong h2 { color: var(--wrong); }
.verdict.initialize, .verdict.mixed { background: var(--none-tint); border-color: var(--none); }

.findings { list-style: none; padding: 0; margin-bottom: 1rem; display: grid; gap: 0.4rem; }
.findings li { display: flex; gap: 0.8rem; align-items: baseline; padding: 0.5rem 0.9rem; border-radius: 8px; background: var(--none-tint); }
.findings li.warning { background: var(--warn-tint); }
.findings li.critical { background: var(--wrong-tint); }
.findings b { flex: none; min-width: 4.6rem; font-size: 0.85rem; }
.findings .critical b { color: var(--wrong); }
.findings .warning b { color: var(--warn); }

.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1rem 1.25rem 1.1rem; margin-bottom: 1rem; }
.card > header { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.2rem 0.8rem; }
.card h2 { font-size: 1.2rem; }
.card .why { margin-top: 0.15rem; }
.card .more { margin-left: auto; font-size: 0.88rem; }
.halves { display: grid; gap: 1rem 2rem; grid-template-columns: auto minmax(0, 1fr); align-items: start; margin-top: 0.7rem; }
@media (max-width: 60rem) { .halves { grid-template-columns: minmax(0, 1fr); } }

.state { display: inline-block; padding: 0.05rem 0.6rem; border-radius: 99px; font-size: 0.85rem; font-weight: 600; white-space: nowrap; }
.state.good { color: var(--active); background: var(--active-tint); }
.state.calm { color: var(--backup); background: var(--backup-tint); }
.state.busy { color: var(--warn); background: var(--warn-tint); }
.state.off { color: var(--none); background: var(--none-tint); }
.state.bad { color: var(--wrong); background: var(--wrong-tint); }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 0.92rem; }
caption { text-align: left; color: var(--dim); font-size: 0.82rem; padding-bottom: 0.2rem; }
th { text-align: left; font-weight: 500; color: var(--dim); font-size: 0.82rem; white-space: nowrap; }
th, td { padding: 0.34rem 0.9rem 0.34rem 0; border-bottom: 1px solid var(--line); vertical-align: baseline; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; white-space: nowrap; }
td:last-child, th:last-child { padding-right: 0; }
td.short { white-space: nowrap; }
tr.self td { font-weight: 600; }
tr.error td { color: var(--wrong); padding-top: 0; }
tr.has-error td { border-bottom: 0; }

details { margin-top: 0.8rem; }
summary { cursor: pointer; color: var(--dim); font-size: 0.88rem; }
.numbers { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0 2rem; margin: 0.5rem 0 0; font-size: 0.9rem; }
.numbers div { display: flex; justify-content: space-between; gap: 1rem; border-bottom: 1px solid var(--line); padding: 0.18rem 0; }
.numbers dt { color: var(--dim); }
.numbers dd { margin: 0; text-align: right; overflow-wrap: anywhere; }

#lost { display: none; }
.lost #lost {
  display: block; position: sticky; top: 0; z-index: 1; margin-bottom: 1rem; padding: 0.7rem 1.2rem; border-radius: 8px;
  background: var(--wrong); color: var(--card); font-weight: 600;
}
.lost #main { opacity: 0.45; }
footer { color: var(--dim); font-size: 0.88rem; display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; }
)css";
    return text;
}

std::string_view page_script()
{
    static constexpr std::string_view text = R"js('use strict';
(() => {
  const everyMs = 2000, giveUpMs = 5000;
  const main = () => document.getElementById('main');
  let busy = false, again = false, soon = 0, answeredAt = new Date();

  function show(fresh) {
    const open = new Set([...main().querySelectorAll('details[open]')].map(d => d.id));
    for (const d of fresh.querySelectorAll('details')) d.open = open.has(d.id);
    main().replaceWith(document.adoptNode(fresh));
  }

  async function refresh() {
    if (busy) { again = true; return; }
    // Do not pull the text from under somebody who is copying it.
    const selection = document.getSelection();
    if (document.hidden || (selection && !selection.isCollapsed)) return;
    busy = true;
    const stop = new AbortController(), timer = setTimeout(() => stop.abort(), giveUpMs);
    try {
      const answer = await fetch('/', { cache: 'no-store', signal: stop.signal });
      if (!answer.ok) throw new Error(answer.status);
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const fresh = page.getElementById('main');
      if (!fresh) throw new Error('incomplete');
      show(fresh);
      document.title = page.title;
      answeredAt = new Date();
      document.body.classList.remove('lost');
    } catch (e) {
      document.getElementById('lost').textContent =
        'No answer from this node since ' + answeredAt.toLocaleTimeString() + '. What is below is old.';
      document.body.classList.add('lost');
      document.title = 'No answer - vipd';
    }
    clearTimeout(timer);
    busy = false;
    if (again) { again = false; refreshSoon(); }
  }

  function refreshSoon() {
    if (!soon) soon = setTimeout(() => { soon = 0; refresh(); }, 60);
  }

  // The stream says when something has happened; the interval keeps the ages right, and serves alone where there is no stream.
  setInterval(refresh, everyMs);
  document.addEventListener('visibilitychange', refresh);
  if (window.EventSource) {
    new EventSource('/v1/events?after=' + encodeURIComponent(main().dataset.last)).onmessage = refreshSoon;
  }
})();
)js";
    return text;
}

std::string_view page_icon()
{
    static constexpr std::string_view text =
        R"svg(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0a7a3d"/>)svg"
        R"svg(<path d="M8 9l8 15 8-15" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round"/></svg>)svg"
        "\n";
    return text;
}

}  // namespace vipd::status
