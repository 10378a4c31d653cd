import { readdir, readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../core/jobs/run-record.ts';
import {
  type BadInput,
  CANARY,
  expectNoInternals,
  runCommand,
  screenOf,
  testBadInputs,
} from '../helpers/cli.ts';
import { predictionsText, useWorkshop } from '../helpers/made-files.ts';

// Bad tables, images and models are in commands/bad-tables.test.ts and commands/bad-models.test.ts.
useWorkshop();

const DATA = '--image file --label malignant --sensitive ink --preprocess unit';
const SCORES = 'audit --predictions bad.csv --label y --score score --sensitive sex';
const IMAGES = `audit --model model --manifest labels.csv ${DATA}`;
const MITIGATE = `mitigate --model model --manifest labels.csv ${DATA} --out run`;
const ABSENT = [64, 'STORAGE'] as const;

testBadInputs('a flag', {
  'with a threshold above 1': {
    line: `${IMAGES} --threshold 2`,
    says: '--threshold: expected a number above 0 and below 1, received "2"',
  },
  'with a word for a threshold': {
    line: `${IMAGES} --threshold abc`,
    says: '--threshold: expected a number above 0 and below 1, received "abc"',
  },
  'with a fraction for a seed': {
    line: `${MITIGATE} --seed 1.5`,
    says: '--seed: expected an integer below 2^31, received "1.5"',
  },
  'with a seed of more than 32 bits': {
    line: `${MITIGATE} --seed 4294967296`,
    says: '--seed: expected an integer below 2^31, received "4294967296"',
  },
  'with a backend that is not installed': {
    line: `${SCORES} --backend tensorflow`,
    says: 'backend tensorflow: neither package found, expected @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node; npm install --save-optional @tensorflow/tfjs-node (CPU) or @tensorflow/tfjs-node-gpu (NVIDIA GPU), or choose backend wasm',
    exit: [75, 'BACKEND_UNAVAILABLE'],
  },
  'without model and predictions': {
    line: 'audit --label y --sensitive sex',
    says: 'audit: expected either --model or --predictions, received neither',
  },
  'with model and predictions': {
    line: `${SCORES} --model model`,
    says: 'audit: expected either --model or --predictions, received both',
  },
  'without the manifest of a model': {
    line: IMAGES.replace('--manifest labels.csv', ''),
    says: '--manifest: expected a CSV file, received nothing',
  },
  'with a manifest that is absent': {
    line: IMAGES.replace('labels.csv', 'nowhere.csv'),
    says: 'nowhere.csv: cannot be read (ENOENT)',
    exit: ABSENT,
  },
  'without the column of the images': {
    line: IMAGES.replace('--image file', ''),
    says: 'labels.csv: expected an image column (--image) or feature columns in the preprocess, received neither',
  },
  'with a run folder that exists': {
    line: MITIGATE.replace('run', 'images'),
    says: 'output "images": expected a folder that does not exist yet, received one that does',
  },
  'with an audit folder that exists': {
    line: `${IMAGES} --out images`,
    says: 'output "images": expected a folder that does not exist yet, received one that does',
  },
  'with an output folder below a file': {
    line: `${IMAGES} --out labels.csv/run`,
    says: 'output "labels.csv/run": cannot be written (ENOTDIR)',
    exit: [64, 'STORAGE'],
  },
});

/** The manifest with the patients of the first external rows in the test rows as well. */
const sharedPatients = async () =>
  (await readFile('labels.csv', 'utf8')).replace(/P-(?:external|test)-(\w+-\d-\d,)/g, `${CANARY}-$1`);

testBadInputs('a split', {
  'without its column': {
    line: `${IMAGES} --only test`,
    says: '--only: expected --split-column as well, received none',
  },
  'to audit that no row has': {
    line: `${IMAGES} --split-column part --only tset`,
    says: '--only "tset": expected a split with rows, received none among 100',
  },
  'to tune on that no row has': {
    line: `${MITIGATE} --split-column part --external nowhere`,
    says: 'split "nowhere": expected rows to tune on, received none among 100',
  },
  'with patients on both sides': {
    files: { 'bad.csv': sharedPatients },
    line: `${MITIGATE.replace('labels.csv', 'bad.csv')} --split-column part --subject patient`,
    says: 'subjects: expected none in both external and test data ("test"), received 40; the test would not be independent',
  },
});

const config = (json: string, says: string): BadInput => ({
  files: { 'bad.json': json },
  line: `${SCORES} --config bad.json`,
  says: `bad.json: ${says}`,
});

testBadInputs('a config file', {
  'that is absent': {
    line: `${SCORES} --config bad.json`,
    says: 'bad.json: cannot be read (ENOENT)',
    exit: ABSENT,
  },
  'that is a table': config(`id,y\n${CANARY},1\n`, 'expected JSON, received text that is no JSON'),
  'with an unknown key': config('{"columns": {"lable": "y"}}', 'unknown key "columns.lable"'),
  'with a number for a column': config(
    '{"columns": {"label": 1}}',
    '"columns.label" must be text, received 1',
  ),
});

const options = (json: string, says: string): BadInput => ({
  files: { 'bad.json': json },
  line: `${MITIGATE} --options bad.json`,
  says: `options "bad.json": ${says}`,
});

testBadInputs('an options file', {
  'that is absent': {
    line: `${MITIGATE} --options bad.json`,
    says: 'bad.json: cannot be read (ENOENT)',
    exit: ABSENT,
  },
  'that is a list': options('[1]', 'the content must be an object, received a list of 1'),
  'with an unknown key': options('{"body": {"epoch": 3}}', 'unknown key "body.epoch"'),
  'with a key that every object has': options('{"__proto__": {"batchSize": 3}}', 'unknown key "__proto__"'),
  'with a number out of range': options(
    '{"body": {"epochs": 0}}',
    '"body.epochs" must be at least 1, received 0',
  ),
  'with a converged head but no selection': options(
    '{"selection": null}',
    '"head.solver" must be "converged" with a selection, and "epochs" without one',
  ),
  'with a selection over a head of epochs': {
    files: {
      'bad.json': JSON.stringify({
        selection: {
          selectShare: 0.3,
          checkpoints: [1],
          maxAucDrop: 0,
          maxBalancedAccuracyDrop: 0,
          maxGroupAucDrop: 0,
          maxGroupTprDrop: 0,
        },
      }),
    },
    line: `${MITIGATE} --preset bmft-released --options bad.json`,
    says: 'options "bad.json": "head.solver" must be "converged" with a selection, and "epochs" without one',
  },
});

testBadInputs('a command line', {
  'with an unknown flag': {
    line: `${SCORES} --quite`,
    says: "unknown option '--quite'\n(Did you mean --quiet?)",
  },
  'with an unknown command': { line: 'audti', says: "unknown command 'audti'\n(Did you mean audit?)" },
  'with an unknown preset': {
    line: `${MITIGATE} --preset robst`,
    says: "option '--preset <name>' argument 'robst' is invalid. Allowed choices are robust, bmft-released, swift-released.",
  },
  'with an unknown metric': {
    line: `${MITIGATE} --metric parity`,
    says: "option '--metric <name>' argument 'parity' is invalid. Allowed choices are demographicParity, equalOpportunity, equalizedOdds.",
  },
  'with an unknown backend': {
    line: `${SCORES} --backend webgl`,
    says: "option '--backend <name>' argument 'webgl' is invalid. Allowed choices are auto, wasm, cpu, tensorflow.",
  },
  'without a flag that must be there': {
    line: 'mitigate --out run',
    says: "required option '--model <path>' not specified",
  },
  'without the argument that must be there': { line: 'inspect', says: "missing required argument 'model'" },
  'with an argument too many': {
    line: 'inspect model model',
    says: "too many arguments for 'inspect'. Expected 1 argument but got 2.",
  },
});

describe('a mitigation of data that cannot carry it', () => {
  const removing = (pattern: RegExp) => (text: string) => text.replace(pattern, '');
  const replacing = (pattern: RegExp, by: string) => (text: string) => text.replaceAll(pattern, by);

  it.each([
    [
      'a group without positives',
      removing(/^.*external-inked-1.*\n/gm),
      'group "inked" has no positive labels among 30 samples, expected at least 2',
    ],
    [
      'one class',
      replacing(/,1,/g, ',0,'),
      'group "inked" has no positive labels among 40 samples, expected at least 2',
    ],
    ['one group', replacing(/,inked,/g, ',plain,'), 'one group only ("plain"): a disparity needs two'],
  ])('of %s is rejected: exit 65 and a report, but no model', async (title, change, reason) => {
    await writeFile('bad.csv', change(await readFile('labels.csv', 'utf8')));
    const out = title.replaceAll(' ', '-');
    const line = MITIGATE.replace('labels.csv', 'bad.csv').replace('run', out);
    const { exitCode, stdout, stderr, leaked } = await runCommand(`${line} --split-column part --json`);
    const record = JSON.parse(stdout) as RunRecord;
    expect(record.outcome).toMatchObject({ status: 'rejected', after: null, reasons: [reason] });
    expect((await readdir(out, { recursive: true })).sort()).toEqual([
      'audit-before.json',
      'check.json',
      'decision.json',
      'report.html',
      'run.json',
    ]);
    expect({ exitCode, leaked }).toEqual({ exitCode: 65, leaked: 0 });
    expectNoInternals(stderr);
  });
});

describe('an audit of data with a gap in it', () => {
  const cells = { tp: 3, fp: 1, tn: 3, fn: 1 };

  it.each([
    ['no positives at all', [{ group: 'f', ...cells, tp: 0, fn: 0 }], 'no positive labels: true positive'],
    ['one group', [{ group: 'f', ...cells }], 'sex: one group only, so no disparity is defined'],
    [
      'a group without positives',
      [
        { group: 'f', ...cells, tp: 0, fn: 0 },
        { group: 'm', ...cells },
      ],
      'sex "f": no positive labels, so rates over them are not defined',
    ],
  ])('of %s says so and gives no number in its place', async (_, groups, warning) => {
    await writeFile('bad.csv', predictionsText(groups));
    const { exitCode, stdout } = await runCommand(SCORES);
    expect(exitCode).toBe(0);
    expect(stdout).toContain(warning);
    expect(stdout).toMatch(/^equalizedOddsDifference\s+n\/a \(/m);
  });
});

describe('an error on a terminal', () => {
  it('has a line of its own, below no half-drawn bar', async () => {
    const manifest = (await readFile('labels.csv', 'utf8')).replace(
      'images/external-inked-0-1.png',
      'bad.png',
    );
    await writeFile('bad.csv', manifest);
    await writeFile('bad.png', 'no picture');
    const { stderr } = await runCommand(MITIGATE.replace('labels.csv', 'bad.csv'), { isTTY: true });
    const [, last] = screenOf(stderr).toReversed();
    expect(last).toMatch(/^counterweight: 1 of 100 images cannot be used: /);
  });
});

describe('rows that tune and test at once', () => {
  it('are never called an independent test', async () => {
    await writeFile('fast.json', '{"body": {"epochs": 1}, "selection": {"checkpoints": [1]}}');
    const line = `${MITIGATE.replace('run', 'twice')} --split-column part --external test --test test`;
    const { exitCode, stdout } = await runCommand(`${line} --options fast.json --json`);
    const record = JSON.parse(stdout) as Partial<RunRecord>;
    expect(exitCode === 64 || record.data?.isIndependent === false).toBe(true);
  });
});
