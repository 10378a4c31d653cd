import { FORM_SCRIPT } from './form-script.ts';

/*
 * What the page does, as the browser runs it: plain JavaScript without a library. Text of jobs goes in by
 * `textContent` only, so nothing that a table or a request holds can become markup.
 */

const BASICS = `'use strict';
const ENDED = ['succeeded', 'failed', 'cancelled'];
const JSON_TYPE = { 'content-type': 'application/json' };
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
  if (!response.ok) throw Object.assign(new Error(content.message), { status: response.status });
  return content;
}

function say(place, text, isBad) {
  byId(place).textContent = text;
  byId(place).className = isBad ? 'say bad' : 'say';
}
`;

const JOBS = `
const POLL_MS = 2000;
/** Looks at jobs between two looks at scheduled audits and at what was brought. */
const OTHERS_EVERY = 5;
const MOST_SHOWN = 100;
const SURE_MS = 5000;
const KINDS = { audit: 'Audit of predictions', 'model-audit': 'Audit of a model', mitigation: 'Mitigation of a model' };
const OUTCOMES = { improved: 'Outcome: improved', 'not-improved': 'Outcome: not improved; keep the model that you have', rejected: 'Outcome: rejected; the data do not fit what was asked' };
const DATES = { dateStyle: 'medium', timeStyle: 'short' };
let limit = 30;

/** Links name the server's own address; this page may have come by another name of it. */
const linkPath = (link) => '/download' + new URL(link, location.href).search;

function downloads(links) {
  const details = make('details');
  const list = make('ul');
  for (const [name, link] of links) {
    const item = make('li');
    item.append(make('a', name, { href: linkPath(link) }));
    list.append(item);
  }
  details.append(make('summary', links.length === 1 ? '1 file' : links.length + ' files'), list);
  return details;
}

function cancelButton(jobId) {
  const button = make('button', 'Cancel', { type: 'button', className: 'quiet' });
  button.setAttribute('aria-label', 'Cancel job ' + jobId);
  button.addEventListener('click', () => {
    if (button.classList.contains('sure')) return cancel(jobId, button);
    const calm = () => {
      button.classList.remove('sure');
      button.textContent = 'Cancel';
      button.setAttribute('aria-label', 'Cancel job ' + jobId);
    };
    button.classList.add('sure');
    button.textContent = 'Really cancel?';
    button.setAttribute('aria-label', 'Really cancel job ' + jobId + '?');
    setTimeout(calm, SURE_MS);
  });
  return button;
}

function actions(job) {
  const acts = make('div', undefined, { className: 'acts' });
  const links = Object.entries(job.links || {});
  const report = links.find(([name]) => name === 'report.html');
  if (report) acts.append(make('a', 'Open report', { href: linkPath(report[1]) + '&inline=1', target: '_blank', rel: 'noopener', className: 'open' }));
  if (links.length > 0) acts.append(downloads(links));
  if (!ENDED.includes(job.status)) acts.append(cancelButton(job.jobId));
  return acts;
}

function describe(job) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', KINDS[job.kind]));
  if (job.outcome) what.append(make('p', OUTCOMES[job.outcome]));
  if (job.error) what.append(make('p', job.error.message));
  if (job.progress) {
    const { stage, done, total } = job.progress;
    const bar = make('progress', undefined, total > 0 ? { max: total, value: done } : {});
    bar.setAttribute('aria-label', 'Progress of ' + stage);
    what.append(make('small', stage + (total > 0 ? ' · ' + done + ' of ' + total : '')), bar);
  }
  what.append(make('small', new Date(job.createdAt).toLocaleString(undefined, DATES) + ' · ' + job.jobId));
  return what;
}

const shown = new Map();
const said = new WeakMap();

/** A part is made anew only when it says something else, so that focus, selection and open lists stay. */
function showPart(item, place, { content, build }) {
  const text = JSON.stringify(content);
  const old = item.children[place];
  if (old && said.get(old) === text) return;
  const part = build();
  said.set(part, text);
  if (old && old.querySelector('details[open]')) part.querySelector('details')?.setAttribute('open', '');
  if (old) old.replaceWith(part);
  else item.append(part);
}

function show(list, entries) {
  const wanted = entries.map(({ id, parts }) => {
    const item = shown.get(id) || make('li', undefined, { className: 'job', id, tabIndex: -1 });
    shown.set(id, item);
    parts.forEach((part, place) => showPart(item, place, part));
    return item;
  });
  for (const item of [...list.children]) {
    if (wanted.includes(item)) continue;
    item.remove();
    shown.delete(item.id);
  }
  wanted.forEach((item, place) => {
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] || null);
  });
}

const statusPart = (word, kind) => ({ content: [word, kind], build: () => make('div', word, { className: 'status ' + kind }) });

const jobEntry = (job) => ({
  id: 'job-' + job.jobId,
  parts: [
    statusPart(job.status, job.status),
    { content: [job.outcome, job.error, job.progress], build: () => describe(job) },
    { content: [ENDED.includes(job.status), job.links], build: () => actions(job) },
  ],
});

function describeAudit({ definition, time, mitigation }) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', definition), make('small', 'period from ' + new Date(time).toLocaleString(undefined, DATES)));
  if (mitigation) what.append(make('small', mitigation.jobId ? 'started mitigation ' + mitigation.jobId : mitigation.error));
  return what;
}

function openAudit({ report }) {
  const acts = make('div', undefined, { className: 'acts' });
  acts.append(make('a', 'Open report', { href: report, target: '_blank', rel: 'noopener', className: 'open' }));
  return acts;
}

const VERDICTS = { pass: ['within limits', 'succeeded'], fail: ['limit broken', 'failed'], inconclusive: ['inconclusive', 'none'] };
const auditEntry = (audit) => ({
  id: 'audit-' + audit.report,
  parts: [
    statusPart(...(VERDICTS[audit.verdict] || ['no limits', 'none'])),
    { content: audit, build: () => describeAudit(audit) },
    { content: audit.report, build: () => openAudit(audit) },
  ],
});

const known = new Map();

/** Links hold for a quarter of an hour; what has ended is asked for again before they are over. */
async function detailOf(summary) {
  const last = known.get(summary.jobId);
  const isFresh = last && last.job.status === summary.status && Date.now() - last.at < 600000;
  if (isFresh && ENDED.includes(summary.status)) return last.job;
  const job = await ask('/v1/jobs/' + summary.jobId);
  known.set(summary.jobId, { job, at: Date.now() });
  return job;
}

async function refreshJobs() {
  const { jobs, next } = await ask('/v1/jobs?limit=' + limit);
  const full = await Promise.all(jobs.map(detailOf));
  show(byId('jobs'), full.map(jobEntry));
  byId('no-jobs').hidden = full.length > 0;
  byId('more').hidden = next === undefined || limit === MOST_SHOWN;
}

async function refreshAudits() {
  const { audits } = await ask('/local/audits');
  show(byId('audits'), audits.map(auditEntry));
  byId('no-audits').hidden = audits.length > 0;
}

async function cancel(jobId, button) {
  button.disabled = true;
  try {
    await ask('/v1/jobs/' + jobId, { method: 'DELETE' });
  } catch (error) {
    say('say', error.message, true);
  }
  await refreshJobs();
}

byId('more').addEventListener('click', () => {
  limit = MOST_SHOWN;
  refreshJobs().catch(() => {});
});

async function poll(count) {
  if (!document.hidden) {
    try {
      await refreshJobs();
      if (count % OTHERS_EVERY === 0) await Promise.all([refreshAudits(), loadInputs()]);
      byId('away').hidden = true;
    } catch {
      byId('away').hidden = false;
    }
  }
  setTimeout(poll, POLL_MS, count + 1);
}
poll(0);
`;

export const SCRIPT = `${BASICS}${FORM_SCRIPT}${JOBS}`;
