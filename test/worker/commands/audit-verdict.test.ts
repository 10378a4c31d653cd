import { writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditReport } from '../../../core/fairness/types.ts';
import { expectNoInternals, runCommand } from '../../helpers/cli.ts';
import { type Cells, filesIn, predictionsText, useWorkshop } from '../../helpers/made-files.ts';

useWorkshop();

const F: Cells = { group: 'f', tp: 6, fp: 2, tn: 8, fn: 4 };
const M: Cells = { group: 'm', tp: 2, fp: 3, tn: 3, fn: 2 };
const AUDIT = 'audit --predictions scores.csv --label y --score score --sensitive sex';

beforeAll(async () => {
  await writeFile('scores.csv', predictionsText([F, M]));
});

describe('counterweight audit, as a gate', () => {
  const policy = (...rules: object[]) => JSON.stringify({ name: 'ours', rules });

  it.each([
    ['passes', { metric: 'demographicParityDifference', max: 0.11 }, 0, 'at most 0.11: kept'], // 5/10 - 8/20
    ['fails', { metric: 'demographicParityDifference', max: 0.09 }, 11, 'at most 0.09: broken'],
    [
      'is left open',
      { metric: 'worstGroupAuc', maxWorsening: 0.1 },
      12,
      'inconclusive, no baseline was given',
    ],
  ])('%s, and says so by its exit code', async (_, rule, code, text) => {
    await writeFile('policy.json', policy(rule));
    const { exitCode, stdout } = await runCommand(`${AUDIT} --policy policy.json`);
    expect(exitCode).toBe(code);
    expect(stdout).toContain(text);
  });

  it('keeps a history, compares with its last audit, and writes what it found', async () => {
    await writeFile('steady.json', policy({ metric: 'equalizedOddsDifference', maxWorsening: 0 }));
    const line = `${AUDIT} --policy steady.json --history history`;
    expect((await runCommand(line)).exitCode).toBe(12);
    const { exitCode, stdout } = await runCommand(`${line} --out judged --json`);
    expect(exitCode).toBe(0);
    const { gate, drift } = JSON.parse(stdout) as Record<string, { verdict: string; audits: number }>;
    expect(gate!.verdict).toBe('pass');
    expect(drift!.audits).toBeGreaterThan(0);
    expect([...(await filesIn('judged')).keys()]).toEqual(['audit.json', 'drift.json', 'report.html']);
    await writeFile('printed.json', stdout);
    expect((await runCommand(`${AUDIT} --policy steady.json --baseline printed.json`)).exitCode).toBe(0);
  });

  it.each([
    ['a limit that is no limit', '--policy wrong.json', 64, '"rules[0].max"'],
    ['a policy that is not there', '--policy none.json', 64, 'none.json: cannot be read'],
    ['a preset that is none', '--policy five-fifths', 64, 'four-fifths'],
    ['a baseline without a policy', '--baseline scores.csv', 64, '--policy'],
  ])('refuses %s before it audits', async (_, flags, code, text) => {
    await writeFile('wrong.json', policy({ metric: 'equalizedOddsDifference', max: 7 }));
    const { exitCode, stdout, stderr } = await runCommand(`${AUDIT} ${flags}`);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toContain(text);
    expectNoInternals(stderr);
  });
});

describe('counterweight audit, under the names of other tools', () => {
  it('prints their numbers beside ours', async () => {
    const { exitCode, stdout } = await runCommand(`${AUDIT} --as fairlearn`);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /demographic_parity_difference\S* +0\.1000 +demographicParityDifference\S* 0\.1000/,
    );
  });

  it('reads an analysis of SageMaker Clarify', async () => {
    const analysis = {
      dataset_type: 'text/csv',
      label: 'y',
      label_values_or_threshold: [1],
      facet: [{ name_or_index: 'sex', value_or_threshold: ['m'] }],
      methods: { post_training_bias: { methods: ['DPPL', 'DI'] }, shap: {} },
    };
    await writeFile('analysis.json', JSON.stringify(analysis));
    const line = 'audit --predictions scores.csv --clarify-config analysis.json --score score';
    const { exitCode, stdout, stderr } = await runCommand(line);
    expect(exitCode).toBe(0);
    expect(stderr).toContain('shap');
    // selected: f 8/20, m 5/10; DPPL = 8/20 - 5/10, DI = (5/10) / (8/20)
    expect(stdout).toMatch(/DPPL +\S.* -0\.1000/);
    expect(stdout).toMatch(/DI +\S.* 1\.2500/);
    expect(stdout).not.toContain('RD ');
  });

  it('audits intersections and bins', async () => {
    const rows = ['y,p,sex,age', '1,0.9,f,20', '0,0.1,f,70', '1,0.8,m,20', '0,0.2,m,70'];
    await writeFile('ages.csv', rows.join('\n'));
    const { stdout } = await runCommand(
      'audit --predictions ages.csv --label y --score p --sensitive sex age --bins age:18,65 --intersections 2 --json',
    );
    const { features } = JSON.parse(stdout) as AuditReport;
    expect(features.map(({ sensitiveFeature }) => sensitiveFeature)).toEqual(['sex', 'age', 'sex × age']);
    expect(features[2]!.groups.map(({ group }) => group)).toContain('f × >= 65');
  });

  it('refuses flags of tables for a model', async () => {
    const { exitCode, stderr } = await runCommand('audit --model m --label y --sensitive sex --weight w');
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--weight: expected --predictions as well');
  });
});

describe('counterweight audit --out', () => {
  it('writes the report in Japanese, and the forms that are asked for', async () => {
    const forms = '--export model-card chai nyc-ll144 nyc-ll144-csv tripod-ai eu-ai-act';
    const { exitCode } = await runCommand(`${AUDIT} --out forms --lang ja ${forms} --model-name Triage`);
    expect(exitCode).toBe(0);
    const files = await filesIn('forms');
    expect([...files.keys()]).toEqual([
      'audit.json',
      'chai-model-card.xml',
      'eu-ai-act-annex-iv.md',
      'model-card.md',
      'nyc-ll144.csv',
      'nyc-ll144.md',
      'report.html',
      'tripod-ai.md',
    ]);
    expect(files.get('report.html')!.toString()).toContain('<html lang="ja">');
    expect(files.get('model-card.md')!.toString()).toContain('Triage');
    // selected 8 of 20 and 5 of 10: ratio 0.8
    expect(files.get('nyc-ll144.csv')!.toString()).toMatch(/f,.*0\.8/);
  });

  it('has a place for forms only', async () => {
    const { exitCode, stderr } = await runCommand(`${AUDIT} --export chai`);
    expect(exitCode).toBe(64);
    expect(stderr).toContain('--export: expected --out as well');
  });
});
