import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { makeDirectoryStore } from '../../../core/storage/directory-store.ts';
import { useTempFolder } from '../../helpers/files.ts';
import { collect, numbered, textOf } from './contract-parts.ts';

const ROOT = path.join(import.meta.dirname, '../../..');
const folder = useTempFolder();

const PRELUDE = `
  import { Readable } from 'node:stream';
  import { makeDirectoryStore } from './core/storage/directory-store.ts';
  import { makeKeyLock } from './core/storage/key-lock.ts';
  import { increment } from './test/core/storage/contract-parts.ts';
  const root = process.argv[1];
  const store = makeDirectoryStore(root);
`;

/** Starts a process that runs a script over a store. */
function start(script: string, root: string, wrapper: readonly string[] = []): ChildProcess {
  const [command, ...args] = [...wrapper, process.execPath, '--import', 'tsx', '--input-type', 'module'];
  return spawn(command!, [...args, '--eval', PRELUDE + script, root], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

const outputOf = (child: ChildProcess) => text(child.stdout!);

/** Waits until a process says that it is there, then ends it without a chance to clean up. */
async function killOnceReady(child: ChildProcess): Promise<void> {
  await once(child.stdout!, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
}

const RESERVED = ['.counterweight', '.counterweight/locks', '.counterweight/tmp'];
const everything = (root: string) => readdir(root, { recursive: true }).then((names) => names.sort());

describe('several processes over one directory', () => {
  it('lose no update, and only one of them writes a new object', async () => {
    const root = folder.at('shared');
    const store = makeDirectoryStore(root);
    await store.write('n', '0');
    const script = `
      const won = [];
      for (let index = 0; index < 10; index += 1) {
        await increment(store, 'n');
        const claim = store.write('claims/' + index, String(process.pid), { onlyIf: 'absent' });
        await claim.then(() => won.push(index), (error) => { if (error.code !== 'CONFLICT') throw error; });
      }
      console.log(JSON.stringify(won));
    `;
    const outputs = await Promise.all(numbered(3).map(() => outputOf(start(script, root))));
    expect(await textOf(store, 'n')).toBe(String(3 * 10));
    const won = outputs.flatMap((output) => JSON.parse(output) as number[]);
    expect(won.sort((a, b) => a - b)).toEqual(numbered(10));
    expect((await everything(root)).filter((name) => name.startsWith('.'))).toEqual(RESERVED);
  });
});

describe('a process that is killed', () => {
  it('while it holds the lock of a key holds up nobody', async () => {
    const root = folder.at('held');
    const script = `
      await makeKeyLock(root + '/.counterweight/locks').hold('a', async () => {
        console.log('held');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      });
    `;
    await killOnceReady(start(script, root));
    expect(await readdir(path.join(root, '.counterweight/locks'))).toHaveLength(1);
    const before = performance.now();
    await makeDirectoryStore(root).write('a', 'mine', { onlyIf: 'absent' });
    expect(performance.now() - before).toBeLessThan(5_000);
    expect(await everything(root)).toEqual([...RESERVED, 'a']);
  });

  it('in the middle of a stream leaves what was there, and its bytes are cleared away', async () => {
    const root = folder.at('killed');
    await makeDirectoryStore(root).write('old', 'before');
    const script = `
      async function* endless() {
        yield Buffer.alloc(100_000);
        console.log('on its way');
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
      await Promise.all(['old', 'new'].map((key) => store.writeStream(key, Readable.from(endless()))));
    `;
    await killOnceReady(start(script, root));
    expect((await readdir(path.join(root, '.counterweight/tmp'))).length).toBeGreaterThan(0);
    const store = makeDirectoryStore(root);
    expect(await collect(store.list(''))).toEqual(['old']);
    expect(await textOf(store, 'old')).toBe('before');
    expect(await everything(root)).toEqual([...RESERVED, 'old']);
  });
});

/** A name space of its own, in which a small disk can be mounted; it ends with the process. */
const OWN_MOUNTS = ['unshare', '--map-root-user', '--mount'] as const;
const MOUNT_AND_RUN = 'mount -t tmpfs -o size=512k tmpfs "$0" && exec "$@"';

function canMount(): boolean {
  try {
    const args = [...OWN_MOUNTS.slice(1), 'sh', '-c', MOUNT_AND_RUN, '/mnt', 'true'];
    execFileSync(OWN_MOUNTS[0], args, { stdio: 'ignore' });
    return true;
  } catch {
    process.stderr.write('no disk can be mounted here: a full one is tried as a limit of file sizes only\n');
    return false;
  }
}

/** Any user can lower what one file may hold. */
const LIMIT_AND_RUN = ['bash', '-c', 'ulimit -f 400 && exec "$@"', 'bash'] as const;

/** Writes while there is no room, and again when there is. */
const FILL = `
  import { readdir } from 'node:fs/promises';
  const outcome = (promise) => promise.then(() => 'written', ({ code, message }) => [code, message]);
  const large = (bytes) => Buffer.alloc(bytes, 'x');
  await store.write('a', large(300_000));
  const whole = await outcome(store.write('b', large(500_000)));
  const streamed = await outcome(store.writeStream('c', Readable.from([large(300_000), large(300_000)])));
  const overwritten = await outcome(store.write('a', large(500_000)));
  const created = await outcome(store.write('d', large(500_000), { onlyIf: 'absent' }));
  const kept = [];
  for await (const { key, bytes } of store.list('')) kept.push([key, bytes]);
  const temporary = await readdir(root + '/.counterweight/tmp');
  const locks = await readdir(root + '/.counterweight/locks');
  await store.delete('a');
  const later = await outcome(store.write('d', large(300_000), { onlyIf: 'absent' }));
  console.log(JSON.stringify({ whole, streamed, overwritten, created, kept, temporary, locks, later }));
`;

describe('a directory store that has no more room', () => {
  const disks: [name: string, reason: string, wrapper: (root: string) => readonly string[]][] = [
    ['at the limit of a file', 'EFBIG', () => LIMIT_AND_RUN],
  ];
  if (canMount())
    disks.push(['on a full disk', 'ENOSPC', (root) => [...OWN_MOUNTS, 'sh', '-c', MOUNT_AND_RUN, root]]);

  it.each(disks)(
    '%s says so, keeps what it had, and goes on once there is room',
    async (_, reason, wrapper) => {
      const root = folder.at(reason);
      await mkdir(root);
      const full = ['STORAGE', `directory store: writing failed (${reason})`];
      expect(JSON.parse(await outputOf(start(FILL, root, wrapper(root))))).toEqual({
        whole: full,
        streamed: full,
        overwritten: full,
        created: full,
        kept: [['a', 300_000]],
        temporary: [],
        locks: [],
        later: 'written',
      });
    },
  );
});
