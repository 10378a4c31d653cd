import { createHash } from 'node:crypto';
import { cp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../../helpers/cli.ts';
import { filesIn, useWorkshop } from '../../helpers/made-files.ts';
import { differing, VERIFY_DATA as INPUTS, verify, writeRun } from '../../helpers/run-folder.ts';
import { SMALL_CNN } from '../../helpers/small-cnn.ts';

useWorkshop();

beforeAll(async () => {
  await writeFile('one.json', '{"body": {"epochs": 1}, "head": {"epochs": 1}}');
  await writeRun();
});

describe('counterweight verify, on an untouched folder', () => {
  it('finds nothing that differs, and says what it did not check', async () => {
    const report = await verify('run');
    expect(differing(report)).toEqual([]);
    expect(report).toMatchObject({ verdict: 'consistent', exitCode: 0 });
    const checks = ['files', 'record', 'audits', 'outcome', 'mask', 'decision', 'report'];
    expect(
      new Set(report.findings.filter(({ status }) => status === 'same').map(({ check }) => check)),
    ).toEqual(new Set(checks));
    expect(
      report.findings.filter(({ status }) => status === 'not-checked').map(({ check }) => check),
    ).toEqual(['model', 'scores']);
  });

  it('compares frozen weights and scores both models again, given the original and the data', async () => {
    const report = await verify('run', `--model model ${INPUTS}`);
    expect(differing(report)).toEqual([]);
    expect(report.findings.map(({ status }) => status)).not.toContain('not-checked');
    expect(report.findings.map(({ message }) => message).join('\n')).toContain(
      'both models give the audits and the flips',
    );
  });

  it('leaves everything as it is', async () => {
    const state = async () => [[...(await filesIn('.')).keys()], await filesIn('run')];
    const before = await state();
    await verify('run', `--model model ${INPUTS}`);
    expect(await state()).toEqual(before);
  });

  it.each([
    [
      'not improved by bmft-released',
      `--model ${SMALL_CNN} ${INPUTS} --preset bmft-released --options one.json`,
    ],
    [
      'of two features and their combination, explained',
      `--model model ${INPUTS.replace('labels.csv', 'two.csv').replace('ink', 'ink age')} --options few.json --mitigate ink age --intersections 2 --explain`,
    ],
    ['of swift-released', `--model ${SMALL_CNN} ${INPUTS} --preset swift-released --options one.json`],
    ['rejected', `--model model ${INPUTS.replace('--sensitive ink', '--sensitive one')}`],
    ['without a test split', `--model model ${INPUTS.replace('--split-column part', '')} --options few.json`],
    [
      'with a further set in a table of its own',
      `--model model ${INPUTS} --options few.json --test-manifest clinic=clinic.csv --root .`,
    ],
  ])('finds nothing in a run %s', async (name, flags) => {
    const table = (await readFile('labels.csv', 'utf8')).trimEnd().split('\n');
    const header = table[0]!.split(',');
    await writeFile('one.csv', table.map((line, row) => `${line},${row === 0 ? 'one' : 'same'}`).join('\n'));
    await writeFile(
      'two.csv',
      table.map((line, row) => `${line},${row === 0 ? 'age' : ['old', 'young'][(row >> 1) % 2]}`).join('\n'),
    );
    const subject = header.indexOf('patient');
    await writeFile(
      'clinic.csv',
      table
        .slice(0, 41)
        .map((line, row) =>
          line
            .split(',')
            .map((cell, place) => (place === subject && row > 0 ? `c${cell}` : cell))
            .join(','),
        )
        .join('\n'),
    );
    const out = `clean-${name.replaceAll(' ', '-')}`;
    const given = name === 'rejected' ? flags.replace('labels.csv', 'one.csv') : flags;
    const { exitCode, stderr } = await runCommand(`mitigate ${given} --out ${out}`);
    expect([0, 10, 65], stderr).toContain(exitCode);
    const bare = await verify(out);
    expect(differing(bare)).toEqual([]);
    const data = given.replace(/ --(?:options|preset|intersections) \S+| --explain| --mitigate ink age/g, '');
    const whole = await verify(out, data);
    expect(differing(whole)).toEqual([]);
    await rm(out, { recursive: true });
  });
});

describe('counterweight verify, around the run', () => {
  it('holds run.json against the hash that was signed', async () => {
    const signed = createHash('sha256')
      .update(await readFile('run/run.json'))
      .digest('hex');
    expect(await verify('run', `--sha256 ${signed}`)).toMatchObject({ exitCode: 0, runSha256: signed });
    const report = await verify('run', `--sha256 ${'0'.repeat(64)}`);
    expect(differing(report)).toEqual([
      'record: run.json does not have the SHA-256 that was expected: it is another one than was signed',
    ]);
  });

  it('prints a table for people', async () => {
    const { stdout, exitCode } = await runCommand('verify run');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^files +same +\d+ outputs have their sizes and hashes$/m);
    expect(stdout).toMatch(/^scores +not checked +the data were not given/m);
    expect(stdout).toMatch(/\nconsistent: nothing differs among what was checked\n$/);
  });

  it.each([
    [
      'a folder that is none',
      'nowhere',
      64,
      /expected a folder with a run.json, received none that can be read \(ENOENT\)/,
    ],
    ['a folder of something else', 'model', 64, /expected a folder with a run.json/],
    ['data without a model', 'run --manifest labels.csv', 64, /--manifest: expected --model as well/],
    [
      'a hash that is none',
      'run --sha256 abc',
      64,
      /--sha256: expected 64 hexadecimal digits, received 3 characters/,
    ],
  ])('refuses %s', async (_, args, code, words) => {
    const { exitCode, stderr } = await runCommand(`verify ${args}`);
    expect({ exitCode, stderr }).toEqual({ exitCode: code, stderr: expect.stringMatching(words) });
  });

  it('refuses a run.json that is cut short, and one of another form', async () => {
    await cp('run', 'cut', { recursive: true });
    await truncate('cut/run.json', 1000);
    expect(await runCommand('verify cut')).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining('run.json: expected JSON'),
    });
    await writeFile('cut/run.json', '{"schemaVersion": 9}');
    expect((await runCommand('verify cut')).stderr).toMatch(/run.json: schemaVersion: /);
  });

  it('stops at once when it is interrupted', async () => {
    const stop = new AbortController();
    stop.abort();
    const { exitCode, stdout } = await runCommand('verify run', { signal: stop.signal });
    expect({ exitCode, stdout }).toEqual({ exitCode: 130, stdout: '' });
  });
});
