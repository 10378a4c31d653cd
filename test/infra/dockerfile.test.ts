import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { copiesOf, instructions, parseStages, type Stage } from './dockerfile.ts';
import { ROOT } from './packaging.ts';

const STAGES = parseStages();
const stage = (name: string) => STAGES.find((candidate) => candidate.name === name)!;
/** Lines of a stage and of those it is based on. */
const history = ({ base, lines }: Stage): readonly string[] => {
  const before = STAGES.find(({ name }) => name === base);
  return before === undefined ? lines : [...history(before), ...lines];
};

/** It cannot be built where these tests run, so they read it. */
describe('the Dockerfile', () => {
  it('has a target for the GPU and one for the CPU', () => {
    expect(STAGES.map(({ name }) => name)).toEqual([
      'node',
      'build',
      'packages',
      'gpu-packages',
      'cpu',
      'gpu',
    ]);
    expect(stage('gpu').base).toBe('nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04');
    expect(stage('cpu').base).toBe('node');
    expect(stage('node').base).toMatch(/^node:22\.\d+\.\d+-bookworm-slim$/);
  });

  it('starts from images whose tags name a version to the last digit', () => {
    const images = STAGES.map(({ base }) => base).filter((base) => !STAGES.some(({ name }) => name === base));
    expect(images).toHaveLength(3);
    for (const image of images) expect(image).toMatch(/^[a-z/]+:\d+\.\d+\.\d+-[a-z0-9.-]+$/);
  });

  it.each(['cpu', 'gpu'])('target %s runs the worker as a user without rights', (name) => {
    const { lines } = stage(name);
    expect(lines.filter((line) => line.startsWith('USER'))).toEqual(['USER 1000:1000']);
    expect(lines.slice(-2)).toEqual(['USER 1000:1000', 'CMD ["node", "dist/main.js"]']);
  });

  it.each(['cpu', 'gpu'])('target %s brings no compiler and installs nothing', (name) => {
    expect(history(stage(name)).filter((line) => line.startsWith('RUN'))).toEqual([]);
    const sources = stage(name).lines.flatMap((line) => /^COPY --from=\S+ (\S+)/.exec(line)?.slice(1) ?? []);
    expect(sources.length).toBeGreaterThan(2);
    expect(sources.filter((source) => source === '/' || source === '/app')).toEqual([]);
  });

  it('copies only what exists, from stages that exist', () => {
    const copies = copiesOf(instructions());
    expect(copies.length).toBeGreaterThan(8);
    for (const { from, sources } of copies) {
      if (from !== null) expect(STAGES.map(({ name }) => name)).toContain(from);
      else for (const source of sources) expect(existsSync(path.join(ROOT, source)), source).toBe(true);
    }
  });

  it('is sent what it copies, and nothing else of the folder', () => {
    const [all, ...exceptions] = readFileSync(path.join(ROOT, 'infra/Dockerfile.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(all).toBe('*');
    const copied = copiesOf(instructions()).filter(({ from }) => from === null);
    const sources = new Set(copied.flatMap((copy) => copy.sources));
    expect(exceptions.map((line) => line.slice(1)).sort()).toEqual([...sources].sort());
    expect(exceptions.every((line) => line.startsWith('!'))).toBe(true);
  });

  it('sends neither the working folder as a whole nor anything secret', () => {
    const text = instructions().join('\n');
    expect(text).not.toMatch(/^COPY \. |^ADD /m);
    expect(text).not.toMatch(/secret|password|token|AWS_|credential|_KEY\b/i);
    const settings = instructions().filter((line) => line.startsWith('ARG'));
    expect(settings).toEqual(['ARG TFJS_NODE_CDN_STORAGE']);
  });

  it('binds the version of tfjs-node-gpu that package.json allows', () => {
    const { peerDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8'));
    const install = stage('gpu-packages').lines.join('\n');
    expect(install).toContain(`@tensorflow/tfjs-node-gpu@${peerDependencies['@tensorflow/tfjs-node-gpu']} `);
  });

  it('takes packages from the lock file and runs none of their scripts, but for TensorFlow', () => {
    const installs = instructions().filter((line) => /npm (?:ci|install)/.test(line));
    expect(installs.slice(0, -1)).toEqual([
      'RUN npm ci --ignore-scripts',
      'RUN npm ci --ignore-scripts --omit=dev',
    ]);
    // Else npm leaves it out, as it does with every optional peer.
    expect(installs.at(-1)).toMatch(
      /^RUN npm pkg delete peerDependencies peerDependenciesMeta && npm install /,
    );
  });
});
