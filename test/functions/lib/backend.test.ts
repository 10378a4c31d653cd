import { execFile } from 'node:child_process';
import { copyFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { makeStartBackend } from '../../../functions/lib/backend.ts';
import { useTempFolder } from '../../helpers/files.ts';

const folder = useTempFolder();
const packageFolder = path.dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'));
const handlers = () =>
  ['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event));

describe('makeStartBackend', () => {
  it('starts from the folder that it is given and adds no handler to the process', async () => {
    for (const name of ['tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm.wasm']) {
      await copyFile(path.join(packageFolder, name), folder.at(name));
    }
    const before = handlers();
    await makeStartBackend(folder.path)();
    expect(tf.getBackend()).toBe('wasm');
    expect(tf.tidy(() => tf.add(2, 3).dataSync()[0])).toBe(2 + 3);
    expect(handlers()).toEqual(before);
  });

  it('leaves a backend alone that runs already', async () => {
    const start = makeStartBackend('/nowhere');
    const running = tf.backend();
    expect(start()).toBe(start());
    await start();
    expect(tf.backend()).toBe(running);
  });

  it('throws BackendUnavailableError, now and later, where the .wasm files are missing', async () => {
    const script = `
      const { makeStartBackend } = await import('./functions/lib/backend.ts');
      for (const start of [makeStartBackend('/nowhere'), makeStartBackend()]) {
        await start().catch(({ code }) => process.stdout.write(code + ' '));
      }
    `;
    const args = ['--import', 'tsx', '--input-type', 'module', '--eval', script];
    const cwd = path.join(import.meta.dirname, '../../..');
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd });
    expect(stdout.trim()).toBe('BACKEND_UNAVAILABLE BACKEND_UNAVAILABLE');
  });
});
