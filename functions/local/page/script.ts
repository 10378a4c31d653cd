/**
 * What the page does, as the browser runs it: plain JavaScript without a library. Text of jobs goes in by
 * `textContent` only, so nothing that a table or a request holds can become markup.
 */
export const SCRIPT = `'use strict';
const POLL_MS = 2000;
const SHOWN = 30;
const ENDED = ['succeeded', 'failed', 'cancelled'];
const KINDS = { audit: 'Audit of predictions', 'model-audit': 'Audit of a model', mitigation: 'Mitigation' };
const byId = (id) => document.getElementById(id);

function make(tag, text, properties) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  return Object.assign(element, properties);
}

async function ask(path, options) {
  const response = await fetch(path, options);
  if (response.status === 401) location.reload();
  const content = await response.json();
  if (!response.ok) throw new Error([content.message, ...(content.issues || [])].join('; '));
  return content;
}

function say(text, isBad) {
  byId('say').textContent = text;
  byId('say').className = isBad ? 'say bad' : 'say';
}

/** Links name the server's own address; this page may have come by another name of it. */
const linkPath = (link) => { const url = new URL(link, location.href); return '/download' + url.search; };

function actions(job) {
  const acts = make('div', undefined, { className: 'acts' });
  const links = job.links || {};
  for (const [name, link] of Object.entries(links)) {
    if (name !== 'report.html') continue;
    const open = make('a', 'Open report', { href: linkPath(link) + '&inline=1', target: '_blank', rel: 'noopener' });
    acts.append(open);
  }
  const other = Object.entries(links).filter(([name]) => name !== 'report.html');
  for (const [name, link] of other.slice(0, 6)) acts.append(make('a', name.split('/').pop(), { href: linkPath(link) }));
  if (!ENDED.includes(job.status)) {
    const button = make('button', 'Cancel', { type: 'button', className: 'quiet' });
    button.setAttribute('aria-label', 'Cancel job ' + job.jobId);
    button.addEventListener('click', () => cancel(job.jobId, button));
    acts.append(button);
  }
  return acts;
}

function describe(job) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', KINDS[job.kind]));
  if (job.outcome) what.append(make('p', 'Outcome: ' + job.outcome.replace('-', ' ')));
  if (job.error) what.append(make('p', job.error.message));
  if (job.progress) {
    const { stage, done, total } = job.progress;
    const bar = make('progress', undefined, total > 0 ? { max: total, value: done } : {});
    bar.setAttribute('aria-label', 'Progress of ' + stage);
    what.append(make('small', stage + (total > 0 ? ' ' + done + ' of ' + total : '')), bar);
  }
  what.append(make('small', new Date(job.createdAt).toLocaleString() + ' · ' + job.jobId));
  return what;
}

const shown = new Map();
const details = new Map();

/** An item is made anew only when it says something else, so that focus and selection stay. */
function show(list, entries) {
  const wanted = entries.map(({ id, content, build }) => {
    const text = JSON.stringify(content);
    const last = shown.get(id);
    const item = last && last.text === text ? last.item : build();
    shown.set(id, { text, item });
    return item;
  });
  wanted.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] || null);
  });
  while (list.children.length > wanted.length) list.lastElementChild.remove();
}

function jobItem(job) {
  const item = make('li', undefined, { className: 'job' });
  item.dataset.job = job.jobId;
  item.append(make('div', job.status, { className: 'status ' + job.status }), describe(job), actions(job));
  return item;
}

/** Links hold for a quarter of an hour; what has ended is asked for again before they are over. */
async function detailOf(summary) {
  const known = details.get(summary.jobId);
  const isFresh = known && known.job.status === summary.status && Date.now() - known.at < 600000;
  if (isFresh && ENDED.includes(summary.status)) return known.job;
  const job = await ask('/v1/jobs/' + summary.jobId);
  details.set(summary.jobId, { job, at: Date.now() });
  return job;
}

async function refresh() {
  const { jobs } = await ask('/v1/jobs?limit=' + SHOWN);
  const full = await Promise.all(jobs.map(detailOf));
  show(byId('jobs'), full.map((job) => ({ id: 'job ' + job.jobId, content: job, build: () => jobItem(job) })));
  byId('no-jobs').hidden = full.length > 0;
  const { audits } = await ask('/local/audits');
  show(byId('audits'), audits.map((audit) => ({ id: audit.report, content: audit, build: () => auditItem(audit) })));
  byId('no-audits').hidden = audits.length > 0;
}

function auditItem({ definition, time, verdict, report, mitigation }) {
  const item = make('li', undefined, { className: 'job' });
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', definition), make('small', 'period from ' + new Date(time).toLocaleString()));
  if (mitigation) what.append(make('small', mitigation.jobId ? 'mitigation ' + mitigation.jobId : mitigation.error));
  const acts = make('div', undefined, { className: 'acts' });
  acts.append(make('a', 'Open report', { href: report, target: '_blank', rel: 'noopener' }));
  const word = verdict === 'fail' ? 'failed' : verdict === 'pass' ? 'succeeded' : '';
  item.append(make('div', verdict || 'no limits', { className: 'status ' + word }), what, acts);
  return item;
}

async function cancel(jobId, button) {
  button.disabled = true;
  try {
    await ask('/v1/jobs/' + jobId, { method: 'DELETE' });
    say('Job ' + jobId + ' is cancelled.');
  } catch (error) {
    say(error.message, true);
  }
  await refresh();
}

async function submit(request) {
  try {
    const job = await ask('/v1/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof request === 'string' ? request : JSON.stringify(request),
    });
    say('Job ' + job.jobId + ' is ' + job.status + '.');
    await refresh();
  } catch (error) {
    say(error.message, true);
  }
}

function requestOf(fields) {
  const text = (name) => fields.get(name).trim();
  const kind = text('kind');
  const sensitiveFeatures = text('groups').split(',').map((name) => name.trim()).filter(Boolean);
  const columns = { label: text('label'), sensitiveFeatures };
  if (kind === 'audit') return { kind, predictions: text('table'), columns: { ...columns, score: text('score') } };
  return { kind, model: text('model'), manifest: text('table'), columns };
}

function options(select, keys) {
  const chosen = select.value;
  select.replaceChildren(...keys.map((key) => make('option', key.slice('uploads/'.length), { value: key })));
  if (keys.includes(chosen)) select.value = chosen;
}

async function loadInputs() {
  const { models, tables } = await ask('/local/inputs');
  options(byId('model'), models);
  options(byId('table'), tables);
  byId('no-inputs').hidden = tables.length > 0;
}

function showFields() {
  const isTable = byId('kind').value === 'audit';
  byId('model').parentElement.hidden = isTable;
  byId('model').required = !isTable;
  byId('score').parentElement.hidden = !isTable;
  byId('score').required = isTable;
}

byId('kind').addEventListener('change', showFields);
byId('table').addEventListener('focus', () => loadInputs().catch(() => {}));
byId('choose').addEventListener('submit', (event) => {
  event.preventDefault();
  submit(requestOf(new FormData(event.target)));
});
byId('paste').addEventListener('submit', (event) => {
  event.preventDefault();
  submit(byId('request').value);
});

async function poll() {
  if (!document.hidden) {
    try {
      await refresh();
      byId('away').hidden = true;
    } catch {
      byId('away').hidden = false;
    }
  }
  setTimeout(poll, POLL_MS);
}
showFields();
loadInputs().catch(() => {});
poll();
`;
