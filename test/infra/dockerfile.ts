import { readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from './packaging.ts';

export interface Stage {
  readonly name: string;
  /** An image, or the name of a stage before it. */
  readonly base: string;
  /** Instructions after FROM. */
  readonly lines: readonly string[];
}

/** What a COPY takes, from where and to where. */
export interface Copy {
  /** A stage; null for the folder that is built from. */
  readonly from: string | null;
  readonly sources: readonly string[];
  readonly target: string;
}

/** Instructions with their continuations, comments left out. */
export function instructions(): string[] {
  return readFileSync(path.join(ROOT, 'infra/Dockerfile'), 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

export function parseStages(): Stage[] {
  const stages: { name: string; base: string; lines: string[] }[] = [];
  for (const line of instructions()) {
    const [, base, name] = /^FROM (\S+) AS (\S+)$/.exec(line) ?? [];
    if (base !== undefined) stages.push({ name: name!, base, lines: [] });
    else stages.at(-1)!.lines.push(line);
  }
  return stages;
}

export function copiesOf(lines: readonly string[]): Copy[] {
  return lines.flatMap((line) => {
    const [, from, paths] = /^COPY (?:--from=(\S+) )?(.+)$/.exec(line) ?? [];
    if (paths === undefined) return [];
    const words = paths.split(' ');
    return [{ from: from ?? null, sources: words.slice(0, -1), target: words.at(-1)! }];
  });
}

/** Words of the last CMD, which must be in the form that starts the program itself and no shell. */
export function commandOf({ lines }: Stage): string[] {
  const command = lines.findLast((line) => line.startsWith('CMD '))!;
  return JSON.parse(command.slice('CMD '.length)) as string[];
}

/** Variables that a stage sets. */
export function environmentOf({ lines }: Stage): Record<string, string> {
  const settings = lines
    .filter((line) => line.startsWith('ENV '))
    .flatMap((line) => line.split(/\s+/).slice(1));
  return Object.fromEntries(settings.map((setting) => setting.split('=') as [string, string]));
}
