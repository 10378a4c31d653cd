import { beforeAll, describe, expect, it } from 'vitest';
import type { Call } from './handler-calls.ts';
import { keysOfAllCalls } from './handler-calls.ts';
import { callsOfJobs } from './job-calls.ts';
import type { Template } from './template.ts';
import { listAt, roleStatements } from './template.ts';

const READ = ['s3:GetObject', 'kms:Decrypt'];
const WRITE = ['s3:PutObject', 'kms:GenerateDataKey'];
/** Without it, S3 answers 403 and not 404 where there is no object. */
const LOOK = 's3:ListBucket';

/** What S3, its encryption and Batch want for each call of a store or a queue. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  info: [...READ, LOOK],
  read: [...READ, LOOK],
  readStream: [...READ, LOOK],
  write: WRITE,
  // One that was refused looks whether it was its own answer that got lost.
  writeIf: [...WRITE, ...READ, LOOK],
  // Parts are put together by decrypting them.
  writeStream: [...WRITE, 'kms:Decrypt', 's3:AbortMultipartUpload'],
  delete: ['s3:DeleteObject'],
  list: [LOOK],
  listKeys: [LOOK],
  downloadUrl: READ,
  uploadForm: WRITE,
  // Where Batch's answer was lost, the client looks for the job before it submits again.
  submit: ['batch:SubmitJob', 'batch:ListJobs'],
  find: ['batch:ListJobs'],
  describe: ['batch:DescribeJobs'],
  terminate: ['batch:TerminateJob'],
};

/** Actions that are not of S3. */
const OTHERS = /^(?:batch|kms):/;

const glob = (pattern: string) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

interface Grant {
  readonly role: string;
  readonly action: string;
  readonly text: string;
  /** Of keys, or of prefixes that may be listed. */
  readonly pattern: RegExp;
}

const BUCKET = '{DataBucket.Arn}/';

/** What a role may do to objects, one entry for each action and pattern of keys. */
function grantsOf(template: Template, role: string): Grant[] {
  const statements = roleStatements(template).filter(
    ({ owner, effect }) => owner === role && effect === 'Allow',
  );
  return statements.flatMap(({ actions, resources, condition }) =>
    actions
      .filter((action) => action.startsWith('s3:'))
      .flatMap((action) => {
        const texts =
          action === 's3:ListBucket'
            ? listAt(condition, 'StringLikeIfExists', 's3:prefix').map(String)
            : resources.map((resource) => resource.slice(BUCKET.length));
        return texts.map((text) => ({ role, action, text, pattern: glob(text) }));
      }),
  );
}

function isAllowed(
  template: Template,
  role: string,
  { action, key }: { action: string; key: string },
): boolean {
  if (action.startsWith('s3:')) {
    return grantsOf(template, role).some((grant) => grant.action === action && grant.pattern.test(key));
  }
  return roleStatements(template).some(
    ({ owner, effect, actions }) => owner === role && effect === 'Allow' && actions.includes(action),
  );
}

export function checkPermissions(get: () => Template): void {
  describe('what handlers and jobs really call', () => {
    let calls: ReadonlyMap<string, readonly Call[]>;
    beforeAll(async () => {
      // First the jobs: they and the functions start the backend each in its own way, and the jobs' serves both.
      const ofJobs = await callsOfJobs();
      calls = new Map([...(await keysOfAllCalls()), ['JobRole', ofJobs]]);
    });

    it('is allowed to their roles', () => {
      const refused = [...calls].flatMap(([role, made]) =>
        made.flatMap(({ method, key }) =>
          ACTIONS[method]!.filter((action) => !isAllowed(get(), role, { action, key })).map(
            (action) => `${role}: ${action} ${key}`,
          ),
        ),
      );
      expect([...new Set(refused)]).toEqual([]);
    });

    it('needs every permission on objects that they have', () => {
      const unused = [...calls].flatMap(([role, made]) => {
        const needed = made.flatMap(({ method, key }) => ACTIONS[method]!.map((action) => ({ action, key })));
        return grantsOf(get(), role).filter(
          (grant) => !needed.some(({ action, key }) => action === grant.action && grant.pattern.test(key)),
        );
      });
      expect(unused.map(({ role, action, text }) => `${role}: ${action} ${text}`)).toEqual([]);
    });

    it('submits to the queues that they may submit to, and to each of them', () => {
      for (const [role, made] of calls) {
        const queues = new Set(made.filter(({ method }) => method === 'submit').map(({ key }) => key));
        const places = [...queues].map((name) => (name === 'gpu' ? 'Gpu' : 'Cpu'));
        const given = roleStatements(get())
          .filter(({ owner, actions }) => owner === role && actions.includes('batch:SubmitJob'))
          .flatMap(({ resources }) => resources);
        expect(given.sort(), role).toEqual(
          places.flatMap((place) => [`{${place}Queue}`, `{${place}Job}`]).sort(),
        );
      }
    });

    it('needs every permission on Batch and the key that they have', () => {
      const used = [...calls].map(([role, made]) => [
        role,
        [...new Set(made.flatMap(({ method }) => ACTIONS[method]!))]
          .filter((name) => OTHERS.test(name))
          .sort(),
      ]);
      const given = [...calls.keys()].map((role) => [
        role,
        roleStatements(get())
          .filter(({ owner }) => owner === role)
          .flatMap(({ actions }) => actions)
          .filter((name) => OTHERS.test(name))
          .sort(),
      ]);
      expect(used).toEqual(given);
    });
  });
}
