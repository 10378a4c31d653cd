import { writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { presetPolicy } from '../../core/fairness/policy/presets.ts';
import { readBaseline, readPolicy } from '../../worker/audit-gate.ts';
import { useTempFolder } from '../helpers/files.ts';
import { auditOf, featureOf, groupOf } from '../helpers/report-audits.ts';

const temp = useTempFolder();

async function fileOf(name: string, content: unknown): Promise<string> {
  const file = temp.at(name);
  await writeFile(file, JSON.stringify(content));
  return file;
}

describe('readPolicy', () => {
  it('knows presets by name', async () => {
    expect(await readPolicy('four-fifths')).toEqual(presetPolicy('four-fifths'));
  });

  it('reads a file', async () => {
    const file = await fileOf('policy.json', { name: 'ours', rules: [{ metric: 'overallAuc', min: 0.8 }] });
    expect(await readPolicy(file)).toMatchObject({ name: 'ours', rules: [{ min: 0.8, severity: 'error' }] });
  });

  it.each([
    ['five-fifths', 'STORAGE', /four-fifths/],
    ['./none.json', 'STORAGE', /none\.json: cannot be read/],
  ])('refuses %s', async (choice, code, message) => {
    await expect(readPolicy(choice)).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it('names file and field of a policy that is wrong', async () => {
    const file = await fileOf('wrong.json', { name: 'ours', rules: [{ metric: 'overallAuc', max: 0.8 }] });
    await expect(readPolicy(file)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      message: expect.stringMatching(/wrong\.json: .*max.*must be min/),
    });
  });
});

describe('readBaseline', () => {
  it('takes an audit and nothing else', async () => {
    const report = auditOf([featureOf('sex', [groupOf('f', [1, 5, 5, 5], 0.8)])]);
    expect(await readBaseline(await fileOf('audit.json', report))).toEqual(report);
    await expect(readBaseline(await fileOf('other.json', { name: 'x' }))).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    });
  });
});
