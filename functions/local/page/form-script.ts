import { MODEL_JSON } from '../../../core/model/model-file.ts';
import { MODEL_PATTERN } from './upload-script.ts';

/** The form that makes a job request. */
export const FORM_SCRIPT = `
const TASKS = {
  audit: 'Compares the rates of error between groups in a table that holds a model\\'s answers.',
  'model-audit': 'Runs a model over samples, then compares its rates of error between groups.',
  mitigation: 'Tunes a model on part of the data to lower the gap between groups. The original model stays as it is.',
};

/** Ids of uploads are long; their beginning tells them apart. */
const shortName = (key) => key.slice('uploads/'.length).replace(/^([0-9a-f]{6})[0-9a-f]{26}[/]/, '$1…/').replace(/[/]$/, '');

/** An open list of choices would close if it were made anew. The first choice is none; it stands where another is gone. */
function options(select, keys, wanted = select.value) {
  const [none, ...last] = [...select.options];
  if (keys.join('|') !== last.map(({ value }) => value).join('|')) {
    select.replaceChildren(none, ...keys.map((key) => make('option', shortName(key), { value: key })));
  }
  select.value = keys.includes(wanted) ? wanted : '';
}

/** What the server lists, and what was sent from this page: that may be chosen wherever the list ends. */
const listed = { tables: [], models: [], more: { tables: 0, models: 0 } };
const brought = { tables: [], models: [] };
const FIELDS = [['table', 'tables'], ['model', 'models']];

function showInputs(wanted = {}) {
  for (const [id, kind] of FIELDS) {
    const own = brought[kind].filter((key) => !listed[kind].includes(key));
    options(byId(id), [...own, ...listed[kind]], wanted[id]);
    const more = listed.more[kind];
    byId(id + '-more').hidden = more === 0;
    byId(id + '-more').textContent = 'The newest are listed; ' + more + ' more can be named in a pasted request.';
  }
  byId('no-inputs').hidden = byId('table').options.length > 1;
}

async function loadInputs() {
  Object.assign(listed, await ask('/local/inputs'));
  showInputs();
  await loadColumns();
}

const MODEL_JSON = '/${MODEL_JSON}';
const UPLOADED = {
  tables: (keys) => keys.filter((key) => /[.](?:csv|jsonl)(?:[.]gz)?$|[.]parquet$/i.test(key)),
  models: (keys) => keys.filter((key) => key.endsWith(MODEL_JSON) || ${MODEL_PATTERN}.test(key)).map((key) => key.endsWith(MODEL_JSON) ? key.slice(0, 1 - MODEL_JSON.length) : key),
};

/**
 * Puts the form onto what was just sent. Where that is not one table or one model, none is chosen: what stood there
 * before has nothing to do with this upload. Gives sentences on what is left to choose.
 */
async function chooseSent(keys) {
  const wanted = {};
  const advice = [];
  const isStarted = keys.some((key) => STARTS.test(key));
  for (const [id, kind] of FIELDS) {
    const found = UPLOADED[kind](keys);
    brought[kind].unshift(...found.filter((key) => !brought[kind].includes(key)));
    wanted[id] = found.length === 1 ? found[0] : '';
    if (found.length === 1 || isStarted || byId(id).disabled || keys.length === 0) continue;
    advice.push(found.length === 0 ? 'It holds no ' + id + ': choose one below.' : 'It holds ' + found.length + ' ' + kind + ': choose one below.');
  }
  showInputs(wanted);
  await loadColumns();
  return isStarted ? ['What it asks for starts by itself.'] : advice;
}

const namesIn = (text) => text.split(',').map((name) => name.trim()).filter(Boolean);

const NO_COLUMNS = { columns: [] };
const ASK_AGAIN_MS = 2000;
let columnsOf = null;
async function loadColumns() {
  const table = byId('table').value;
  if (table === columnsOf) return;
  columnsOf = table;
  showColumns([]);
  if (table === '') return;
  const answer = await ask('/local/columns?table=' + encodeURIComponent(table)).catch((error) => error.status >= 400 && error.status < 500 ? NO_COLUMNS : null);
  if (columnsOf !== table) return; // another one was chosen meanwhile, and has asked for its own
  if (answer === null) {
    columnsOf = null;
    setTimeout(loadColumns, ASK_AGAIN_MS);
    return;
  }
  const { columns } = answer;
  showColumns(columns);
  if (columns.length === 0) return;
  for (const input of document.querySelectorAll('[data-column]')) if (!columns.includes(input.value.trim())) input.value = '';
  byId('groups').value = namesIn(byId('groups').value).filter((name) => columns.includes(name)).join(', ');
  showChips();
}

function showColumns(columns) {
  byId('columns').replaceChildren(...columns.map((value) => make('option', undefined, { value })));
  byId('chips').replaceChildren(...columns.filter((name) => !name.includes(',')).map(chip));
}

function chip(name) {
  const button = make('button', name, { type: 'button' });
  button.addEventListener('click', () => {
    const names = namesIn(byId('groups').value);
    byId('groups').value = (names.includes(name) ? names.filter((other) => other !== name) : [...names, name]).join(', ');
    showChips();
  });
  return button;
}

function showChips() {
  const names = namesIn(byId('groups').value);
  for (const button of byId('chips').children) button.setAttribute('aria-pressed', String(names.includes(button.textContent)));
}

function showFields() {
  const kind = byId('kind').value;
  byId('kind-hint').textContent = TASKS[kind];
  for (const input of document.querySelectorAll('[data-kinds]')) {
    input.disabled = !input.dataset.kinds.split(' ').includes(kind);
    input.parentElement.hidden = input.disabled;
  }
}

const numberIn = (text) => Number(text.replace(',', '.'));
const isWhole = (text, end) => /^[0-9]{1,10}$/.test(text) && Number(text) < end;
const CHECKS = {
  positiveClass: { isRight: (text) => isWhole(text, 1e9), expected: 'a whole number from 0' },
  threshold: { isRight: (text) => numberIn(text) > 0 && numberIn(text) < 1, expected: 'a number above 0 and below 1' },
  seed: { isRight: (text) => isWhole(text, 2 ** 31), expected: 'a whole number from 0 to 2147483647' },
};

/** What is missing or wrong in a form, by the names of its fields; null when it can be sent. */
function problemIn(form) {
  const fields = [...form.elements].filter(({ name, disabled }) => name && !disabled);
  const labelOf = (field) => field.labels[0].textContent;
  const missing = fields.filter(({ required, value }) => required && value.trim() === '');
  const wrong = fields.filter(({ name, value }) => CHECKS[name] && value.trim() !== '' && !CHECKS[name].isRight(value.trim()));
  for (const field of fields) field.setAttribute('aria-invalid', String(missing.includes(field) || wrong.includes(field)));
  const all = [...missing, ...wrong];
  if (all.length === 0) return null;
  for (const field of all) if (field.closest('details')) field.closest('details').open = true;
  all[0].focus();
  const sentences = wrong.map((field) => labelOf(field) + ': expected ' + CHECKS[field.name].expected + ', received "' + field.value.trim() + '".');
  if (missing.length > 0) sentences.unshift('Still missing: ' + missing.map(labelOf).join(', ') + '.');
  return sentences.join(' ');
}

/** What is filled in, under its name in the request. */
const filled = (entries) => Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== '' && value !== undefined));

function requestOf(form) {
  const fields = new FormData(form);
  const text = (name) => (fields.get(name) || '').trim();
  const kind = text('kind');
  const answer = kind === 'audit' ? { [text('answer')]: text('answered') } : {};
  const columns = { ...filled({ label: text('label'), positiveLabel: text('positive'), image: text('image'), subject: text('subject'), split: text('split'), ...answer }), sensitiveFeatures: namesIn(text('groups')) };
  const threshold = text('threshold') === '' ? undefined : numberIn(text('threshold'));
  const whole = (name) => text(name) === '' ? undefined : Number(text(name));
  const splits = filled({ external: text('external'), test: text('test') });
  const common = { kind, columns, ...filled({ threshold, only: text('only'), preprocess: text('preprocess'), preset: text('preset'), positiveClass: whole('positiveClass'), seed: whole('seed'), metric: text('metric') }) };
  if (kind === 'audit') return { ...common, predictions: text('table') };
  return { ...common, model: text('model'), manifest: text('table'), ...(Object.keys(splits).length > 0 && { splits }) };
}

/** Of one request until it has its job: pressing again after a lost answer does not start it twice. */
const requestKeys = new Map();
const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');

async function submit(body, place, button) {
  button.disabled = true;
  const key = requestKeys.get(body) || newKey();
  requestKeys.set(body, key);
  try {
    const { jobId } = await ask('/v1/jobs', { method: 'POST', headers: { ...JSON_TYPE, 'idempotency-key': key }, body });
    requestKeys.delete(body);
    await refreshJobs().catch(() => {});
    say(place, 'Started. ');
    byId(place).append(make('a', 'Show the job', { href: '#job-' + jobId }));
  } catch (error) {
    say(place, error.isLost ? NO_ANSWER + '. Press again when it does: that starts one job, not two.' : error.message, true);
  }
  button.disabled = false;
}

byId('kind').addEventListener('change', showFields);
byId('groups').addEventListener('input', showChips);
byId('table').addEventListener('change', () => loadColumns());
byId('table').addEventListener('focus', () => loadInputs().catch(() => {}));
byId('choose').addEventListener('submit', (event) => {
  event.preventDefault();
  const problem = problemIn(event.target);
  if (problem !== null) return say('say', problem, true);
  submit(JSON.stringify(requestOf(event.target)), 'say', event.submitter);
});
byId('paste').addEventListener('submit', (event) => {
  event.preventDefault();
  submit(byId('request').value, 'paste-say', event.submitter);
});
showFields();
`;
