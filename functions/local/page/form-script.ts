/** Sends files by the forms that the API gives, a few at a time. */
const UPLOADS = `
const AT_ONCE = 4;
const TRIES = 3;
const TAKEN = /[.](?:csv|json|bin|keras|onnx|png|jpe?g)$/i;
/** Files that start a job as they arrive: they go last, when everything that they name is there. */
const STARTS = /(?:^|[/])(?:counterweight[.]json|[^/]+[.]job[.]json)$/;
const nameOf = (file) => file.webkitRelativePath || file.name;
const isTaken = (file) => TAKEN.test(nameOf(file)) && file.size > 0 && !nameOf(file).split('/').some((part) => part.startsWith('.'));
const sizeText = (bytes) => bytes < 1e6 ? Math.ceil(bytes / 1e3) + ' kB' : (bytes / 1e6).toFixed(1) + ' MB';

function post(fields, file, { sending, onBytes }) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = (status) => reject(Object.assign(new Error('the upload broke off'), { status }));
    request.upload.addEventListener('progress', ({ loaded }) => onBytes(Math.min(loaded, file.size)));
    request.addEventListener('load', () => request.status === 204 ? resolve() : fail(request.status));
    request.addEventListener('error', () => fail(0));
    request.addEventListener('abort', () => fail(0));
    sending.requests.add(request);
    request.addEventListener('loadend', () => sending.requests.delete(request));
    request.open('POST', '/upload');
    request.send(body);
  });
}

async function sendOnce(file, sending) {
  const wanted = { name: nameOf(file), bytes: file.size, ...(sending.uploadId && { uploadId: sending.uploadId }) };
  const { uploadId, key, form } = await ask('/v1/uploads', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(wanted) });
  sending.uploadId = uploadId;
  await post(form.fields, file, { sending, onBytes: (bytes) => { sending.bytes.set(file, bytes); showSending(sending); } });
  sending.bytes.set(file, file.size);
  sending.keys.push(key);
  showSending(sending);
}

/** A line that breaks or a server that is busy is tried again; a name that is refused is left out. */
async function send(file, sending) {
  for (let tries = 1; !sending.isStopped; tries += 1) {
    try {
      return await sendOnce(file, sending);
    } catch (error) {
      if (error.status >= 400 && error.status < 500) return void sending.left.push(nameOf(file));
      if (sending.isStopped) return;
      if (tries === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * tries));
    }
  }
}

async function sendInPool(files, sending) {
  const rest = [...files];
  const work = async () => {
    while (rest.length > 0 && !sending.isStopped) await send(rest.shift(), sending);
  };
  // The first one alone: its answer says where the others go.
  if (sending.uploadId === undefined && rest.length > 0) await send(rest.shift(), sending);
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function showSending({ bytes, keys, count, total }) {
  const sent = [...bytes.values()].reduce((sum, value) => sum + value, 0);
  Object.assign(byId('sent'), { max: total, value: sent });
  byId('sent-text').textContent = keys.length + ' of ' + count + ' files · ' + sizeText(sent) + ' of ' + sizeText(total);
}

function tellSent({ keys, left, isStopped }) {
  const files = (count) => count === 1 ? '1 file' : count + ' files';
  const names = left.slice(0, 5).join(', ') + (left.length > 5 ? ' and ' + (left.length - 5) + ' more' : '');
  const leftOut = left.length > 0 ? ' Left out, since such files are not taken: ' + names + '.' : '';
  say('upload-say', (isStopped ? 'Stopped after ' : 'Sent ') + files(keys.length) + '.' + leftOut, keys.length === 0);
}

let current = null;
async function upload(chosen) {
  const files = [...chosen].filter(isTaken);
  const left = [...chosen].filter((file) => !isTaken(file)).map(nameOf);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const sending = { uploadId: undefined, keys: [], left, bytes: new Map(), requests: new Set(), isStopped: false, count: files.length, total };
  current = sending;
  byId('sending').hidden = false;
  byId('files').disabled = byId('folder').disabled = true;
  say('upload-say', '');
  showSending(sending);
  try {
    await sendInPool(files.filter((file) => !STARTS.test(nameOf(file))), sending);
    await sendInPool(files.filter((file) => STARTS.test(nameOf(file))), sending);
    tellSent(sending);
  } catch (error) {
    sending.isStopped = true;
    for (const request of sending.requests) request.abort();
    say('upload-say', 'Not everything could be sent: ' + error.message + '.', true);
  }
  byId('sending').hidden = true;
  byId('files').disabled = byId('folder').disabled = false;
  byId('files').value = byId('folder').value = '';
  await loadInputs(sending.keys);
}

for (const id of ['files', 'folder']) {
  byId(id).addEventListener('change', () => { if (byId(id).files.length > 0) upload(byId(id).files); });
}
byId('stop').addEventListener('click', () => {
  current.isStopped = true;
  for (const request of current.requests) request.abort();
});
`;

/** The form that makes a job request. */
const REQUESTS = `
const TASKS = {
  audit: 'Compares the rates of error between groups in a table that holds a model\\'s answers.',
  'model-audit': 'Runs a model over samples, then compares its rates of error between groups.',
  mitigation: 'Tunes a model on part of the data to lower the gap between groups. The original model stays as it is.',
};

/** Ids of uploads are long; their beginning tells them apart. */
const shortName = (key) => key.slice('uploads/'.length).replace(/^([0-9a-f]{6})[0-9a-f]{26}[/]/, '$1…/').replace(/[/]$/, '');

/** An open list of choices would close if it were made anew. */
function options(select, keys, wanted) {
  const chosen = wanted || select.value;
  const last = [...select.options].map(({ value }) => value);
  if (keys.join('|') !== last.join('|')) select.replaceChildren(...keys.map((key) => make('option', shortName(key), { value: key })));
  if (keys.includes(chosen)) select.value = chosen;
}

async function loadInputs(sent = []) {
  const { models, tables } = await ask('/local/inputs');
  options(byId('model'), models, models.find((model) => sent.includes(model + 'model.json')));
  options(byId('table'), tables, tables.find((table) => sent.includes(table)));
  byId('no-inputs').hidden = tables.length > 0;
  await loadColumns();
}

const namesIn = (text) => text.split(',').map((name) => name.trim()).filter(Boolean);

const NO_COLUMNS = { columns: [] };
const ASK_AGAIN_MS = 2000;
let columnsOf = null;
async function loadColumns() {
  const table = byId('table').value;
  if (table === columnsOf || table === '') return;
  columnsOf = table;
  const answer = await ask('/local/columns?table=' + encodeURIComponent(table)).catch((error) => error.status >= 400 && error.status < 500 ? NO_COLUMNS : null);
  if (columnsOf !== table) return; // another one was chosen meanwhile, and has asked for its own
  if (answer === null) {
    columnsOf = null;
    setTimeout(loadColumns, ASK_AGAIN_MS);
    return;
  }
  const { columns } = answer;
  byId('columns').replaceChildren(...columns.map((value) => make('option', undefined, { value })));
  byId('chips').replaceChildren(...columns.filter((name) => !name.includes(',')).map(chip));
  if (columns.length === 0) return;
  for (const input of document.querySelectorAll('[data-column]')) if (!columns.includes(input.value.trim())) input.value = '';
  byId('groups').value = namesIn(byId('groups').value).filter((name) => columns.includes(name)).join(', ');
  showChips();
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

/** What is filled in, under its name in the request. */
const filled = (entries) => Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== '' && value !== undefined));

function requestOf(form) {
  const fields = new FormData(form);
  const text = (name) => (fields.get(name) || '').trim();
  const kind = text('kind');
  const answer = kind === 'audit' ? { [text('answer')]: text('answered') } : {};
  const columns = { ...filled({ label: text('label'), positiveLabel: text('positive'), image: text('image'), subject: text('subject'), split: text('split'), ...answer }), sensitiveFeatures: namesIn(text('groups')) };
  const threshold = text('threshold') === '' ? undefined : Number(text('threshold').replace(',', '.'));
  const splits = filled({ external: text('external'), test: text('test') });
  const common = { kind, columns, ...filled({ threshold, only: text('only'), preprocess: text('preprocess'), metric: text('metric') }) };
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
    await refreshJobs();
    say(place, 'Started. ');
    byId(place).append(make('a', 'Show the job', { href: '#job-' + jobId }));
  } catch (error) {
    say(place, error.message, true);
  }
  button.disabled = false;
}

byId('kind').addEventListener('change', showFields);
byId('groups').addEventListener('input', showChips);
byId('table').addEventListener('change', () => loadColumns());
byId('table').addEventListener('focus', () => loadInputs().catch(() => {}));
byId('choose').addEventListener('submit', (event) => {
  event.preventDefault();
  submit(JSON.stringify(requestOf(event.target)), 'say', event.submitter);
});
byId('paste').addEventListener('submit', (event) => {
  event.preventDefault();
  submit(byId('request').value, 'paste-say', event.submitter);
});
showFields();
`;

export const FORM_SCRIPT = `${UPLOADS}${REQUESTS}`;
