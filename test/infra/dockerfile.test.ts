import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './packaging.ts';

interface Stage {
  readonly name: string;
  /** An image, or the name of a stage before it. */
  readonly base: string;
  readonly lines: readonly string[];
}

/** Instructions with their continuations, comments left out. */
function instructions(): string[] {
  return readFileSync(path.join(ROOT, 'infra/Dockerfile'), 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

function parseStages(): Stage[] {
  const stages: { name: string; base: string; lines: string[] }[] = [];
  for (const line of instructions()) {
    const [, base, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (base !== undefined) stages.push({ name: name!, base, lines: [] });
    else stages.at(-1)!.lines.push(line);
  }
  return stages;
}

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
    const copies = instructions().filter((line) => line.startsWith('COPY'));
    expect(copies.length).toBeGreaterThan(8);
    for (const copy of copies) {
      const [, from, paths] = /^COPY (?:--from=(\S+) )?(.+)$/.exec(copy)!;
      const sources = paths!.split(' ').slice(0, -1);
      if (from !== undefined) expect(STAGES.map(({ name }) => name)).toContain(from);
      else for (const source of sources) expect(existsSync(path.join(ROOT, source)), source).toBe(true);
    }
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
