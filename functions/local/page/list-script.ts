import { PLAN_SCRIPT } from './plan-script.ts';

/** One job, in words and with what can be done. */
const JOBS = `
const SURE_MS = 5000;
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

const timeText = (time) => new Date(time).toLocaleString(undefined, DATES);

/** Names of the inputs of each job, which the API keeps to itself; empty for one that the server has none of. */
const inputsOfJobs = new Map();
async function learnInputs(jobs) {
  if (jobs.every(({ jobId }) => inputsOfJobs.has(jobId))) return;
  const found = (await ask('/local/jobs')).jobs;
  for (const { jobId } of jobs) inputsOfJobs.set(jobId, found[jobId] || {});
}

const TITLES = {
  audit: ({ table = 'predictions' }) => 'Audit of ' + table,
  'model-audit': ({ table, model }) => 'Audit of ' + (model ? 'model ' + model + ' on ' + table : 'a model'),
  mitigation: ({ table, model }) => 'Mitigation of ' + (model ? 'model ' + model + ' on ' + table : 'a model'),
};

/** What was asked for, as far as it tells two jobs apart. */
function settingsText({ columns, threshold, only, preset, seed, metric }) {
  const { label, sensitiveFeatures, score, prediction } = columns;
  const parts = [
    ['label', label], ['groups', sensitiveFeatures.join(', ')], ['score', score], ['decision', prediction],
    ['threshold', threshold === 0.5 ? undefined : threshold], ['part', only], ['preset', preset], ['seed', seed], ['gap', metric],
  ];
  return parts.filter(([, value]) => value !== undefined).map((part) => part.join(' ')).join(' · ');
}

function describe(job) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', TITLES[job.kind](inputsOfJobs.get(job.jobId) || {})));
  if (job.outcome) what.append(make('p', OUTCOMES[job.outcome]));
  if (job.error) what.append(make('p', job.error.message));
  if (job.progress) {
    const { stage, done, total } = job.progress;
    const bar = make('progress', undefined, total > 0 ? { max: total, value: done } : {});
    bar.setAttribute('aria-label', 'Progress of ' + stage);
    what.append(make('small', stage + (total > 0 ? ' · ' + Math.floor(100 * Math.min(1, done / total)) + ' %' : '')), bar);
  }
  what.append(make('small', settingsText(job.settings)), make('small', timeText(job.createdAt) + ' · ' + job.jobId));
  return what;
}
`;

/** Lists that change under the reader's eyes. */
const SHOWING = `
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
    { content: [job.outcome, job.error, job.progress, inputsOfJobs.get(job.jobId)], build: () => describe(job) },
    { content: [ENDED.includes(job.status), job.links], build: () => actions(job) },
  ],
});
`;

/** Asks the server again and again. */
const POLLING = `
const POLL_MS = 2000;
/** Looks at jobs between two looks at scheduled audits and at what was brought. */
const OTHERS_EVERY = 5;
const MOST_SHOWN = 100;
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
  const [full] = await Promise.all([Promise.all(jobs.map(detailOf)), learnInputs(jobs)]);
  show(byId('jobs'), full.map(jobEntry));
  byId('no-jobs').hidden = full.length > 0;
  byId('more').hidden = next === undefined || limit === MOST_SHOWN;
}

async function cancel(jobId, button) {
  button.disabled = true;
  say('jobs-say', '');
  try {
    await ask('/v1/jobs/' + jobId, { method: 'DELETE' });
  } catch (error) {
    button.disabled = false;
    say('jobs-say', plain(error) + '.', true);
  }
  await refreshJobs().catch(() => {});
}

byId('more').addEventListener('click', () => {
  limit = MOST_SHOWN;
  refreshJobs().catch(() => {});
});

async function poll(count) {
  if (!document.hidden) {
    try {
      await refreshJobs();
      if (count % OTHERS_EVERY === 0) await lookAtOthers();
      byId('away').hidden = true;
    } catch {
      byId('away').hidden = false;
    }
  }
  setTimeout(poll, POLL_MS, count + 1);
}
poll(0);
`;

export const LIST_SCRIPT = `${JOBS}${SHOWING}${PLAN_SCRIPT}${POLLING}`;
