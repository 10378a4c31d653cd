import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { VERSION } from '../../worker/version.ts';
import { runCommand } from '../helpers/cli.ts';

it('the version is that of package.json, and --version prints it', async () => {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
  const { exitCode, stdout, stderr } = await runCommand('--version');
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${VERSION}\n`, stderr: '' });
});
