import { describe, expect, it } from 'vitest';
import { UPLOAD_TYPES } from '../../../../core/jobs/uploads.ts';
import { UPLOAD_SCRIPT } from '../../../../functions/local/page/upload-script.ts';
import { makePageWorld } from './page-world.ts';

const call = makePageWorld(UPLOAD_SCRIPT);
const reasonAgainst = (webkitRelativePath: string, size = 5) =>
  call<string | null>(`reasonAgainst(${JSON.stringify({ webkitRelativePath, size })})`);

describe('files to send', () => {
  it.each(['scores.csv', 'set/Images/1.JPG', 'set/model/model.json', 'set/model/Net.ONNX'])(
    '%s is taken',
    (name) => {
      expect(reasonAgainst(name)).toBeNull();
    },
  );

  it.each([
    ['scores.tsv', 5, /expected a table as \.csv \(with commas/],
    ['scores.xlsx', 5, /expected a table as \.csv/],
    [
      'model.PT',
      5,
      /^a pickle runs code when it is read.*torch\.onnx\.export\(model\.eval\(\), \(sample,\), "model/,
    ],
    ['model.tflite', 5, /^expected a model as \.onnx, \.keras, \.h5 or a tfjs LayersModel folder/],
    ['set/notes.txt', 5, /expected a table \(\.csv, \.jsonl, \.parquet\), a model \(\.onnx, \.keras, \.h5\)/],
    ['set/.git/x.json', 5, /^hidden$/],
    ['.DS_Store', 5, /^hidden$/],
    ['empty.csv', 0, /^empty$/],
  ])('%s of %i bytes is left out, and why is its own reason', (name, size, reason) => {
    expect(reasonAgainst(name, size)).toMatch(reason);
  });

  it('are of types that the API takes', () => {
    const left = Object.keys(UPLOAD_TYPES).filter((ending) => reasonAgainst(`x.${ending}`) !== null);
    expect(left).toEqual([]);
  });

  it.each([
    ['set/counterweight.json', true],
    ['counterweight.json', true],
    ['set/audit.job.json', true],
    ['set/my-counterweight.json', false],
    ['set/model.json', false],
  ])('%s starts a job, so it goes last: %s', (name, starts) => {
    expect(call(`STARTS.test(${JSON.stringify(name)})`)).toBe(starts);
  });
});

describe('a refusal', () => {
  it('is told by the rules that the server names', () => {
    const error = { message: 'body: …', issues: ['"name" must be letters', '"bytes" must be at most 5'] };
    expect(call(`reasonOf(${JSON.stringify(error)})`)).toBe(
      'its name must be letters; its size in bytes must be at most 5',
    );
    expect(call(`reasonOf({ message: 'no' })`)).toBe('no');
  });
});
