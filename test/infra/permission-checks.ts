import { beforeAll, describe, expect, it } from 'vitest';
import type { Call } from './handler-calls.ts';
import { keysOfAllCalls } from './handler-calls.ts';
import type { Template } from './template.ts';
import { listAt, roleStatements } from './template.ts';

/** What S3 and Batch want for each call of a store or a queue. */
const ACTIONS: Readonly<Record<string, readonly string[]>> = {
  info: ['s3:GetObject'],
  read: ['s3:GetObject'],
  readStream: ['s3:GetObject'],
  // Every write of a function is conditional, and a repeated one looks at what lies there.
  write: ['s3:PutObject', 's3:GetObject'],
  writeStream: ['s3:PutObject', 's3:AbortMultipartUpload'],
  delete: ['s3:DeleteObject'],
  list: ['s3:ListBucket'],
  downloadUrl: ['s3:GetObject'],
  uploadForm: ['s3:PutObject'],
  submit: ['batch:SubmitJob'],
  describe: ['batch:DescribeJobs'],
  terminate: ['batch:TerminateJob'],
};

const glob = (pattern: string) =>
  new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);

function isAllowed(
  template: Template,
  role: string,
  { action, key }: { action: string; key: string },
): boolean {
  return roleStatements(template).some(({ owner, effect, actions, resources, condition }) => {
    if (owner !== role || effect !== 'Allow' || !actions.includes(action)) return false;
    if (action.startsWith('batch:')) return true;
    if (action !== 's3:ListBucket')
      return resources.some((resource) => glob(resource).test(`{DataBucket.Arn}/${key}`));
    return listAt(condition, 'StringLikeIfExists', 's3:prefix').some((prefix) =>
      glob(String(prefix)).test(key),
    );
  });
}

export function checkPermissions(get: () => Template): void {
  describe('what handlers really call', () => {
    let calls: ReadonlyMap<string, readonly Call[]>;
    beforeAll(async () => {
      calls = await keysOfAllCalls();
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

    it('needs every permission on Batch that they have', () => {
      const used = [...calls].map(([role, made]) => [
        role,
        [...new Set(made.flatMap(({ method }) => ACTIONS[method]!))]
          .filter((name) => name.startsWith('batch:'))
          .sort(),
      ]);
      const given = [...calls.keys()].map((role) => [
        role,
        roleStatements(get())
          .filter(({ owner }) => owner === role)
          .flatMap(({ actions }) => actions)
          .filter((name) => name.startsWith('batch:'))
          .sort(),
      ]);
      expect(used).toEqual(given);
    });

    it('lets each role that reads hear that an object does not exist', () => {
      for (const [role, made] of calls) {
        const reads = made.some(({ method }) => ['info', 'read', 'readStream'].includes(method));
        const lists = roleStatements(get()).some(
          ({ owner, actions }) => owner === role && actions.includes('s3:ListBucket'),
        );
        expect(lists, role).toBe(reads);
      }
    });
  });
}
