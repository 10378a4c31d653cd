/** Scheduled audits, and uploads that start jobs by themselves. */
export const PLAN_SCRIPT = `
const VERDICTS = { pass: ['policy kept', 'succeeded'], fail: ['policy broken', 'failed'], inconclusive: ['inconclusive', 'none'] };
const STATES = { refused: ['cannot run', 'failed'], failed: ['failed', 'failed'], running: ['running', 'running'], done: ['done', 'none'], due: ['due', 'none'] };
const verdictOf = ({ verdict }) => VERDICTS[verdict] || ['no policy', 'none'];

/** What did not hold: each rule with the value that was found. */
const findingTexts = ({ findings }) => findings.filter(({ verdict }) => verdict !== 'pass').map(({ text }) => text);

function auditParts(audit) {
  const { time, mitigation } = audit;
  const parts = findingTexts(audit).map((text) => make('p', text));
  parts.push(make('small', 'period from ' + timeText(time)));
  if (mitigation) parts.push(make('small', mitigation.jobId ? 'started mitigation ' + mitigation.jobId : mitigation.error));
  return parts;
}

function describeAudit(audit) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', audit.definition), ...auditParts(audit));
  return what;
}

function openAudit(audit) {
  const acts = make('div', undefined, { className: 'acts' });
  if (audit) acts.append(make('a', 'Open report', { href: audit.report, target: '_blank', rel: 'noopener', className: 'open' }));
  return acts;
}

const auditEntry = (audit) => ({
  id: 'audit-' + audit.report,
  parts: [
    statusPart(...verdictOf(audit)),
    { content: audit, build: () => describeAudit(audit) },
    { content: audit.report, build: () => openAudit(audit) },
  ],
});

function everyText({ hours, days }) {
  const [count, unit] = hours === undefined ? [days, 'day'] : [hours, 'hour'];
  return 'every ' + (count === 1 ? unit : count + ' ' + unit + 's');
}

/** A definition, why it does not run where it does not, and what it found last. */
function describeDefinition({ name, every, table, model, state, error, at, jobId }, last) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', name));
  if (error) what.append(make('p', error, { className: 'reason' }));
  if (state === 'failed' && !error) what.append(make('p', 'Nothing is wrong with it any more; it is tried again by itself.'));
  if (state === 'failed' || state === 'running') what.append(make('small', (state === 'failed' ? 'failed ' : 'since ') + timeText(at) + (jobId ? ' · job ' + jobId : '')));
  if (every) what.append(make('small', everyText(every) + ' · ' + (model ? 'model ' + model + ' on ' : '') + table));
  if (last && state !== 'done') what.append(make('small', 'last audit: ' + verdictOf(last)[0]));
  if (last) what.append(...auditParts(last));
  return what;
}

function definitionEntry(definition, audits) {
  const { name, state } = definition;
  const last = audits.find((audit) => audit.definition === name);
  return {
    id: 'definition-' + name,
    parts: [
      statusPart(...(state === 'done' && last ? verdictOf(last) : STATES[state])),
      { content: [definition, last], build: () => describeDefinition(definition, last) },
      { content: last && last.report, build: () => openAudit(last) },
    ],
  };
}

function describeUpload({ name, reason, since }) {
  const what = make('div', undefined, { className: 'what' });
  what.append(make('p', shortName('uploads/' + name)), make('p', reason, { className: 'reason' }), make('small', 'since ' + timeText(since)));
  return what;
}

const uploadEntry = (upload) => ({
  id: 'upload-' + upload.name,
  parts: [
    statusPart(upload.state, upload.state === 'refused' ? 'failed' : 'none'),
    { content: upload, build: () => describeUpload(upload) },
  ],
});

async function refreshAudits() {
  const [{ audits }, { definitions }] = await Promise.all([ask('/local/audits'), ask('/local/definitions')]);
  show(byId('definitions'), definitions.map((definition) => definitionEntry(definition, audits)));
  show(byId('audits'), audits.map(auditEntry));
  byId('no-audits').hidden = audits.length + definitions.length > 0;
  const last = definitions.filter(({ name }) => audits.some(({ definition }) => definition === name));
  byId('all-audits').hidden = audits.length === last.length;
  byId('all-audits-text').textContent = audits.length === 1 ? '1 audit' : 'All ' + audits.length + ' audits';
  byId('wrong-audits').textContent = wrongText(definitions.filter(({ state }) => state === 'refused' || state === 'failed').length);
}

const wrongText = (count) => count === 0 ? '' : ' (' + count + ' cannot run)';

async function refreshUploads() {
  const { uploads } = await ask('/local/uploads');
  show(byId('open-uploads'), uploads.map(uploadEntry));
  byId('uploads').hidden = byId('to-uploads').hidden = uploads.length === 0;
}

/** What changes seldom; poll tells when the server is away. */
const lookAtOthers = () => Promise.all([refreshAudits(), refreshUploads(), loadInputs()]);
const refreshOthers = () => lookAtOthers().catch(() => {});
`;
