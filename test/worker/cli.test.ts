import { describe, expect, it } from 'vitest';
import { CANARY, runCommand } from '../helpers/cli.ts';
import { useWorkshop } from '../helpers/made-files.ts';

useWorkshop();

const AUDIT =
  'audit --model model --manifest labels.csv --image file --label malignant --sensitive ink --preprocess unit';

describe('counterweight', () => {
  it('without a command shows its help as an error, with exit 64', async () => {
    const { exitCode, stdout, stderr } = await runCommand('');
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    expect(stderr).toMatch(/^Usage: counterweight \[options\] \[command\]\n/);
  });

  it.each(['--help', 'help'])('shows every command on stdout with %s', async (flag) => {
    const { exitCode, stdout, stderr } = await runCommand(flag);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    for (const command of ['audit', 'mitigate', 'select', 'inspect']) {
      expect(stdout).toMatch(new RegExp(`^ {2}${command} .* {2,}\\w`, 'm'));
    }
  });

  it('explains every flag of every command', async () => {
    for (const command of ['audit', 'mitigate', 'select', 'inspect']) {
      const { stdout } = await runCommand(`${command} --help`);
      const flags = stdout.split('\n').filter((line) => /^ {2}-/.test(line));
      expect(flags.length).toBeGreaterThan(4);
      for (const flag of flags) expect(flag).toMatch(/^ {2}-\S+(?:, --\S+)?(?: (?:<\S+>|\[\S+\]))? {2,}\S/);
    }
  });

  it('keeps the help within 80 columns', async () => {
    for (const command of ['audit', 'mitigate', 'select', 'inspect']) {
      const { stdout } = await runCommand(`${command} --help`);
      const options = stdout.split('\nExample')[0]!;
      expect(options.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
  });
});

describe('an error nobody foresaw', () => {
  /** A signal that breaks the command from within. */
  const signal = new Proxy(new AbortController().signal, {
    get: () => {
      throw new RangeError(CANARY);
    },
  });
  const message = 'unexpected RangeError; this is a defect of counterweight, please report it';

  it('is told by its name alone, since its message may hold data', async () => {
    const { exitCode, stdout, stderr } = await runCommand(`${AUDIT} --json --quiet`, { signal });
    expect(exitCode).toBe(70);
    expect(stderr).toBe(`counterweight: ${message}\n`);
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'UNEXPECTED', message, details: {} } });
  });

  it('is shown with its stack to a developer who asks for it', async () => {
    const { stderr } = await runCommand(`${AUDIT} --quiet`, { signal, isDebug: true });
    expect(stderr).toMatch(new RegExp(`^counterweight: ${message}\nRangeError: ${CANARY}\n +at `));
  });
});

describe('an error of ours', () => {
  it('is shown with its stack and cause to a developer only', async () => {
    const line = 'inspect nowhere';
    const { stderr } = await runCommand(line, { isDebug: true });
    expect(stderr).toMatch(
      /^counterweight: model "nowhere": no such file or folder\nStorageError: [\s\S]*ENOENT/,
    );
    expect((await runCommand(line)).stderr).toBe('counterweight: model "nowhere": no such file or folder\n');
  });
});
