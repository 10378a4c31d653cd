import { PRESET_NAMES } from '../../../core/jobs/schema.ts';
import { UPLOAD_TYPES } from '../../../core/jobs/uploads.ts';

interface Field {
  readonly name: string;
  readonly label: string;
  /** Kinds of job that have it; all when absent. */
  readonly kinds?: string;
  readonly hint?: string;
  readonly isRequired?: boolean;
  readonly placeholder?: string;
  /** Is it the name of a column of the table? */
  readonly isColumn?: boolean;
}

function attributes({ name, kinds, hint, isRequired, placeholder, isColumn }: Field): string {
  return [
    `id="${name}" name="${name}"`,
    kinds === undefined ? '' : ` data-kinds="${kinds}"`,
    hint === undefined ? '' : ` aria-describedby="${name}-hint"`,
    placeholder === undefined ? '' : ` placeholder="${placeholder}"`,
    isColumn ? ' list="columns" data-column' : '',
    isRequired ? ' required' : '',
  ].join('');
}

function hintOf({ name, hint }: Field): string {
  return hint === undefined ? '' : `<small class="hint" id="${name}-hint">${hint}</small>`;
}

function input(field: Field): string {
  const element = `<input ${attributes(field)} autocomplete="off" spellcheck="false">`;
  return `<div class="field"><label for="${field.name}">${field.label}</label>${element}${hintOf(field)}</div>`;
}

function select(field: Field, options: Readonly<Record<string, string>> = {}): string {
  const texts = Object.entries(options).map(([value, text]) => `<option value="${value}">${text}</option>`);
  const element = `<select ${attributes(field)}>${texts.join('')}</select>`;
  return `<div class="field"><label for="${field.name}">${field.label}</label>${element}${hintOf(field)}</div>`;
}

const MODELS = 'model-audit mitigation';

const ENDINGS = Object.keys(UPLOAD_TYPES).map((ending) => `.${ending}`);

const FILES = `<div class="panel">
<h3>1. Bring your files</h3>
<p class="hint" id="files-hint">A table of predictions (.csv, .jsonl, .parquet). For a model: its file (.onnx, .keras, .h5) or its folder with model.json, together with its preprocess.json, and a table of samples beside the images that it names. What lies in the server's folder uploads/ already can be chosen below.</p>
<div class="field"><label for="files">Files</label><input type="file" id="files" multiple accept="${ENDINGS}" aria-describedby="files-hint"></div>
<div class="field"><label for="folder">Or a whole folder</label><input type="file" id="folder" webkitdirectory aria-describedby="files-hint"></div>
<div id="sending" hidden><progress id="sent" aria-label="Sent"></progress><small id="sent-text"></small><button type="button" class="quiet" id="stop">Stop</button></div>
<p class="say" id="upload-say" role="status"></p>
<button type="button" class="quiet" id="go-on" hidden>Go on</button>
<ul class="say" id="left" aria-label="Files that were left out" role="status"></ul>
</div>`;

const WHAT = [
  select(
    { name: 'kind', label: 'Task', hint: ' ' },
    {
      audit: 'Audit a table of predictions',
      'model-audit': 'Audit a model',
      mitigation: 'Mitigate a model',
    },
  ),
  select({ name: 'table', label: 'Table', isRequired: true }, { '': 'Choose a table' }),
  '<small class="hint more" id="table-more" hidden></small>',
  select(
    {
      name: 'model',
      label: 'Model',
      kinds: MODELS,
      isRequired: true,
      hint: 'A file (.onnx, .keras, .h5), or a folder with model.json.',
    },
    { '': 'Choose a model' },
  ),
  '<small class="hint more" id="model-more" hidden></small>',
  input({
    name: 'label',
    label: 'Column of the true label',
    isRequired: true,
    isColumn: true,
    hint: 'What is really so: 0 or 1, true or false.',
  }),
  input({
    name: 'groups',
    label: 'Columns of the groups',
    isRequired: true,
    hint: 'For example sex, age_band. Several are separated by commas.',
  }),
  '<div class="chips" id="chips" role="group" aria-label="Columns of the table to compare by"></div>',
  select(
    { name: 'answer', label: 'The model answered with', kinds: 'audit' },
    { score: 'a score from 0 to 1', prediction: 'a decision' },
  ),
  input({
    name: 'answered',
    label: 'Column of the answer',
    kinds: 'audit',
    isRequired: true,
    isColumn: true,
  }),
  input({
    name: 'image',
    label: 'Column of the image files',
    kinds: MODELS,
    isColumn: true,
    hint: 'Empty for a model that reads numbers.',
  }),
].join('\n');

const MORE = [
  input({ name: 'positive', label: 'Label that means 1', hint: 'For labels in words, such as malignant.' }),
  input({
    name: 'positiveClass',
    label: 'Output that means 1',
    kinds: MODELS,
    hint: 'Of a model with several classes: the index of its output, from 0.',
  }),
  input({ name: 'threshold', label: 'Threshold of the score', placeholder: '0.5' }),
  input({
    name: 'split',
    label: 'Column of the part',
    isColumn: true,
    hint: 'Which part of the data a row belongs to.',
  }),
  input({ name: 'only', label: 'Audit only this part', kinds: 'audit model-audit' }),
  input({ name: 'external', label: 'Part to tune on', kinds: 'mitigation', placeholder: 'external' }),
  input({ name: 'test', label: 'Part to judge on', kinds: 'mitigation', placeholder: 'test' }),
  input({
    name: 'subject',
    label: 'Column of the subject',
    kinds: MODELS,
    isColumn: true,
    hint: 'Whose rows stay together, such as a patient.',
  }),
  select(
    { name: 'preprocess', label: 'Inputs are made by', kinds: MODELS },
    {
      '': "the model's own preprocess.json",
      imagenet: 'imagenet: mean and deviation of ImageNet',
      unit: 'unit: pixels from 0 to 1',
      none: 'none: pixels from 0 to 255',
    },
  ),
  select(
    {
      name: 'preset',
      label: 'Preset',
      kinds: 'mitigation',
      hint: 'Settings of the method. The released ones repeat published code.',
    },
    Object.fromEntries(PRESET_NAMES.map((name) => [name, name])),
  ),
  input({
    name: 'seed',
    label: 'Seed',
    kinds: 'mitigation',
    placeholder: '0',
    hint: 'Of all that is drawn: the same seed gives the same result.',
  }),
  select(
    { name: 'metric', label: 'Gap to lower', kinds: 'mitigation' },
    {
      '': 'as preset',
      equalizedOdds: 'equalized odds',
      equalOpportunity: 'equal opportunity',
      demographicParity: 'demographic parity',
    },
  ),
].join('\n');

/** The part of the page that takes files and starts jobs. */
export const NEW_JOB = `<section aria-labelledby="new-heading">
<h2 id="new-heading">New job</h2>
${FILES}
<form class="panel" id="choose" novalidate>
<h3>2. Say what to do</h3>
<p class="empty" id="no-inputs" hidden>There is no table yet. Bring one above.</p>
${WHAT}
<datalist id="columns"></datalist>
<details>
<summary>More settings</summary>
${MORE}
</details>
<button>Start job</button>
<p class="say" id="say" role="status"></p>
</form>
<details>
<summary>Paste a job request instead</summary>
<form class="panel" id="paste">
<div class="field"><label for="request">Job request</label><textarea id="request" required spellcheck="false" aria-describedby="request-hint"></textarea><small class="hint" id="request-hint">JSON, the body of POST /v1/jobs.</small></div>
<button>Start from request</button>
<p class="say" id="paste-say" role="status"></p>
</form>
</details>
</section>`;
