import { UPLOAD_TYPES } from '../../../core/jobs/uploads.ts';
import { MODEL_ENDINGS, NO_PICKLE, PICKLE_ENDINGS } from '../../../core/model/model-file.ts';

/** A pattern of the page for names with one of these endings, with or without their dot. */
const patternOf = (endings: readonly string[]) =>
  `/[.](?:${endings.map((ending) => ending.replace('.', '')).join('|')})$/i`;

/** Of models in one file. */
export const MODEL_PATTERN = patternOf(MODEL_ENDINGS.filter((ending) => ending !== '.json'));

/** Which files are taken, and what is said of the others. */
const FILES = `
const TAKEN = ${patternOf(Object.keys(UPLOAD_TYPES))};
const OTHER_TABLES = /[.](?:tsv|tab|xlsx?|ods|feather|sav|dta)$/i;
const PICKLES = ${patternOf(PICKLE_ENDINGS)};
const OTHER_MODELS = /[.](?:pb|tflite|safetensors)$/i;
/** Files that start a job as they arrive: they go last, when everything that they name is there. */
const STARTS = /(?:^|[/])(?:counterweight[.]json|[^/]+[.]job[.]json)$/;
const MOST_NAMED = 5;
const nameOf = (file) => file.webkitRelativePath || file.name;
const sizeText = (bytes) => bytes < 1e6 ? Math.ceil(bytes / 1e3) + ' kB' : (bytes / 1e6).toFixed(1) + ' MB';
const countText = (count, word) => count + ' ' + word + (count === 1 ? '' : 's');

/** Why a file is not sent; null for one that is. */
function reasonAgainst(file) {
  const name = nameOf(file);
  if (name.split('/').some((part) => part.startsWith('.'))) return 'hidden';
  if (PICKLES.test(name)) return ${JSON.stringify(NO_PICKLE)};
  if (OTHER_MODELS.test(name)) return 'expected a model as .onnx, .keras, .h5 or a tfjs LayersModel folder (model.json and its weights)';
  if (OTHER_TABLES.test(name)) return 'expected a table as .csv (with commas between its cells), .jsonl or .parquet';
  if (!TAKEN.test(name)) return 'expected a table (.csv, .jsonl, .parquet), a model (.onnx, .keras, .h5), a part of one (.json, .bin, .data) or an image (.png, .jpg)';
  return file.size === 0 ? 'empty' : null;
}

/** In the words of the server, which name a field of its request. */
function reasonOf(error) {
  const rules = (error.issues || []).map((rule) => rule.replace(/^"name" /, 'its name ').replace(/^"bytes" /, 'its size in bytes '));
  return rules.join('; ') || error.message;
}

function showLeft(left) {
  const names = new Map();
  for (const [name, reason] of left) names.set(reason, [...(names.get(reason) || []), name]);
  byId('left').replaceChildren(...[...names].map(([reason, all]) => {
    const rest = all.length > MOST_NAMED ? ' and ' + (all.length - MOST_NAMED) + ' more' : '';
    return make('li', 'Left out: ' + all.slice(0, MOST_NAMED).join(', ') + rest + ': ' + reason + '.');
  }));
}
`;

/** Sends files by the forms that the API gives, a few at a time. */
const SENDING = `
const AT_ONCE = 4;
const TRIES = 3;

function post(fields, file, { sending, onBytes }) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append('file', file);
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = (status) => reject(Object.assign(new Error(status === 0 ? NO_ANSWER : 'the server did not take it (status ' + status + ')'), { status }));
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
  sending.done.add(file);
  sending.keys.push(key);
  showSending(sending);
}

/** A line that breaks or a server that is busy is tried again; a name that is refused is left out. */
async function send(file, sending) {
  for (let tries = 1; !sending.isStopped; tries += 1) {
    try {
      return await sendOnce(file, sending);
    } catch (error) {
      if (error.status >= 400 && error.status < 500) {
        sending.done.add(file);
        return void sending.left.push([nameOf(file), reasonOf(error)]);
      }
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
  // The first ones alone, until an answer says where the others go.
  while (sending.uploadId === undefined && rest.length > 0 && !sending.isStopped) await send(rest.shift(), sending);
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

function showSending({ bytes, keys, files, total }) {
  const sent = [...bytes.values()].reduce((sum, value) => sum + value, 0);
  Object.assign(byId('sent'), { max: total, value: sent });
  byId('sent-text').textContent = keys.length + ' of ' + countText(files.length, 'file') + ' · ' + sizeText(sent) + ' of ' + sizeText(total);
}

function stop(sending) {
  sending.isStopped = true;
  for (const request of sending.requests) request.abort();
}
`;

/** From the choice of files to what the form then stands on. */
const UPLOADS = `
let current = null;

function upload(chosen) {
  const given = [...chosen].map((file) => ({ file, reason: reasonAgainst(file) }));
  const files = given.filter(({ reason }) => reason === null).map(({ file }) => file);
  const left = given.filter(({ reason }) => reason !== null).map(({ file, reason }) => [nameOf(file), reason]);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  return run({ uploadId: undefined, keys: [], left, files, total, done: new Set(), bytes: new Map() });
}

/** One go at what has not been sent; another one may follow when the server was lost. */
async function run(last) {
  const sending = { ...last, bytes: new Map([...last.done].map((file) => [file, file.size])), requests: new Set(), isStopped: false };
  current = sending;
  showRunning(true);
  say('upload-say', '');
  showLeft([]);
  byId('go-on').hidden = true;
  showSending(sending);
  const open = sending.files.filter((file) => !sending.done.has(file));
  let problem = null;
  try {
    await sendInPool(open.filter((file) => !STARTS.test(nameOf(file))), sending);
    await sendInPool(open.filter((file) => STARTS.test(nameOf(file))), sending);
  } catch (error) {
    problem = error;
    stop(sending);
  }
  const advice = await chooseSent(problem === null ? sending.keys : []);
  showRunning(false);
  showLeft(sending.left);
  tellSent(sending, problem, advice);
  refreshOthers();
}

function showRunning(isRunning) {
  byId('sending').hidden = !isRunning;
  byId('files').disabled = byId('folder').disabled = isRunning;
  if (!isRunning) byId('files').value = byId('folder').value = '';
}

function tellSent({ keys, files, isStopped }, problem, advice) {
  const sent = keys.length + ' of ' + countText(files.length, 'file') + (files.length === 1 ? ' was' : ' were') + ' sent';
  byId('go-on').hidden = problem === null;
  if (problem !== null) return say('upload-say', plain(problem) + '; ' + sent + '.', true);
  const what = isStopped ? 'Stopped after ' + countText(keys.length, 'file') : keys.length === 0 ? 'Nothing was sent' : 'Sent ' + countText(keys.length, 'file');
  say('upload-say', [what + '.', ...advice].join(' '), keys.length === 0);
}

for (const id of ['files', 'folder']) {
  byId(id).addEventListener('change', () => { if (byId(id).files.length > 0) upload(byId(id).files); });
}
byId('stop').addEventListener('click', () => stop(current));
byId('go-on').addEventListener('click', () => run(current));
`;

export const UPLOAD_SCRIPT = `${FILES}${SENDING}${UPLOADS}`;
