import { describe, expect, it } from 'vitest';
import {
  ALERTS,
  auditPrefix,
  checkpointPrefix,
  definitionKey,
  lockKey,
  recordKey,
  requestKey,
  resultPrefix,
  statusKey,
  temporaryPrefix,
  UPLOADS,
  waitingKey,
} from '../../core/jobs/keys.ts';
import type { Template } from './template.ts';
import { at, listAt, ofType, render, resourceStatements, roleStatements } from './template.ts';

const OBJECT = '{DataBucket.Arn}/';

/** Keys as core/jobs/keys.ts spells them, for any job, request, definition or lock. */
const any = (key: string) => key.replace(/\bx\b/, '*').replace(/\/$/, '/*');
const UPLOAD = `${UPLOADS}*`;
const RECORD = any(recordKey('x'));
const STATUS = any(statusKey('x'));
const CHECKPOINT = any(checkpointPrefix('x'));
const RESULT = 'results/*';
const TEMPORARY = 'tmp/*';
const REQUEST = 'requests/*';
const DEFINITION = 'definitions/*';
const AUDIT = 'audits/*';
const ALERT = `${ALERTS}*`;
const LOCK = 'locks/*';
const WAITING = 'waiting/*';
const JOB = 'jobs/*';

interface Access {
  readonly read?: readonly string[];
  readonly write?: readonly string[];
  readonly delete?: readonly string[];
  readonly list?: readonly string[];
}

/** All that each role may do to the bucket. */
const ACCESS: Readonly<Record<string, Access>> = {
  CreateAuditRole: {
    read: [UPLOAD, RECORD, REQUEST],
    write: [RECORD, REQUEST],
    list: [UPLOAD, JOB, REQUEST],
  },
  CreateJobRole: { read: [UPLOAD, RECORD, REQUEST], write: [RECORD, REQUEST], list: [UPLOAD, JOB, REQUEST] },
  ListJobsRole: { read: [RECORD], list: [JOB] },
  GetJobRole: { read: [RECORD, STATUS, RESULT], write: [RECORD], list: [JOB, RESULT] },
  CancelJobRole: { read: [RECORD], write: [RECORD], list: [JOB] },
  CreateUploadRole: { write: [UPLOAD] },
  GetOpenapiRole: {},
  OnUploadRole: {
    read: [UPLOAD, RECORD, REQUEST, WAITING],
    write: [RECORD, REQUEST, WAITING],
    list: [UPLOAD, JOB, REQUEST, WAITING],
  },
  OnScheduleRole: {
    read: [DEFINITION, LOCK, AUDIT, ALERT, UPLOAD, RECORD, STATUS, REQUEST, RESULT, WAITING],
    write: [LOCK, AUDIT, ALERT, RECORD, REQUEST, WAITING],
    delete: [WAITING],
    list: [DEFINITION, LOCK, AUDIT, ALERT, UPLOAD, JOB, REQUEST, RESULT, WAITING],
  },
  OnBatchStateRole: { read: [RECORD, RESULT], write: [RECORD], list: [JOB, RESULT] },
  JobRole: {
    read: [UPLOAD, RECORD, CHECKPOINT],
    write: [RECORD, STATUS, CHECKPOINT, TEMPORARY, RESULT],
    delete: [TEMPORARY, CHECKPOINT],
    list: [UPLOAD, JOB, TEMPORARY],
  },
  JobExecutionRole: {},
  GpuInstanceRole: {},
  SchedulerRole: {},
};

/** Every resource that ends in * and is no prefix of the bucket, with why. */
const WILDCARDS: Readonly<Record<string, string>> = {
  'batch:DescribeJobs *': 'has no resource-level permissions',
  'batch:ListJobs *': 'has no resource-level permissions',
  'ecr:GetAuthorizationToken *': 'has no resource-level permissions',
  'ecs:DiscoverPollEndpoint *': 'has no resource-level permissions',
  'batch:TerminateJob job/*': 'Batch makes the ids of jobs',
  'ecs:DeregisterContainerInstance cluster/*': 'Batch makes the cluster',
  'ecs:RegisterContainerInstance cluster/*': 'Batch makes the cluster',
  'ecs:SubmitAttachmentStateChanges cluster/*': 'Batch makes the cluster',
  'ecs:SubmitContainerStateChange cluster/*': 'Batch makes the cluster',
  'ecs:SubmitTaskStateChange cluster/*': 'Batch makes the cluster',
  'ecs:Poll container-instance/*': 'ECS makes the ids of instances',
  'ecs:StartTelemetrySession container-instance/*': 'ECS makes the ids of instances',
  'ecs:TagResource container-instance/*': 'ECS makes the ids of instances',
  'ecs:UpdateContainerInstancesState container-instance/*': 'ECS makes the ids of instances',
};

export function checkRoles(get: () => Template): void {
  const allowed = () => roleStatements(get()).filter(({ effect }) => effect === 'Allow');

  /** Keys under which a role may use an action. */
  const keysOf = (role: string, action: string) =>
    allowed()
      .filter(({ owner, actions }) => owner === role && actions.includes(action))
      .flatMap(({ resources }) => resources)
      .filter((resource) => resource.startsWith(OBJECT))
      .map((resource) => resource.slice(OBJECT.length));

  const listedBy = (role: string) =>
    allowed()
      .filter(({ owner, actions }) => owner === role && actions.includes('s3:ListBucket'))
      .flatMap(({ condition }) => listAt(condition, 'StringLikeIfExists', 's3:prefix').map(String));

  describe('roles', () => {
    it('allow no action by a pattern, and nothing by the absence of one', () => {
      const statements = [...roleStatements(get()), ...resourceStatements(get())];
      const wild = statements.filter(
        ({ effect, actions }) =>
          effect === 'Allow' && (actions.length === 0 || actions.some((action) => /[*?]/.test(action))),
      );
      expect(wild).toEqual([]);
      expect(JSON.stringify(get())).not.toMatch(/"NotAction"|"NotResource"|"NotPrincipal"/);
    });

    it('name every resource, but for a short list with reasons', () => {
      const found = allowed()
        .flatMap(({ actions, resources }) =>
          resources.flatMap((resource) => actions.map((action) => [action, resource] as const)),
        )
        .filter(([, resource]) => /[*?]/.test(resource) && !/^\{\w+\.Arn\}\/[a-z]+\//.test(resource))
        .map(([action, resource]) => `${action} ${resource.split(':').at(-1)}`);
      expect([...new Set(found)].sort()).toEqual(Object.keys(WILDCARDS).sort());
    });

    it('take no policy of which AWS may change the content', () => {
      for (const [id, { Properties }] of ofType(get(), 'AWS::IAM::Role')) {
        expect(Properties, id).not.toHaveProperty('ManagedPolicyArns');
      }
    });

    it('are each taken on by one service', () => {
      for (const [id, { Properties }] of ofType(get(), 'AWS::IAM::Role')) {
        const trusts = listAt(Properties, 'AssumeRolePolicyDocument', 'Statement');
        expect(
          trusts.map((trust) => Object.keys(at(trust, 'Principal') ?? {})),
          id,
        ).toEqual([['Service']]);
        expect(listAt(trusts[0], 'Principal', 'Service'), id).toHaveLength(1);
      }
    });

    it('are bound to this account where the service says for whom it acts, which S3 does not when it copies', () => {
      const conditions = ofType(get(), 'AWS::IAM::Role').flatMap(([id, { Properties }]) =>
        listAt(Properties, 'AssumeRolePolicyDocument', 'Statement').flatMap((trust) => {
          const condition = at(trust, 'Condition');
          return condition === undefined
            ? []
            : [[id, render(at(condition, 'StringEquals', 'aws:SourceAccount'))]];
        }),
      );
      expect(Object.fromEntries(conditions)).toEqual({
        JobRole: '{AWS::AccountId}',
        JobExecutionRole: '{AWS::AccountId}',
        SchedulerRole: '{AWS::AccountId}',
      });
    });

    it.each(Object.entries(ACCESS))('%s reaches these keys and no others', (role, access) => {
      const { read = [], write = [], list = [] } = access;
      expect({
        read: keysOf(role, 's3:GetObject').sort(),
        write: keysOf(role, 's3:PutObject').sort(),
        delete: keysOf(role, 's3:DeleteObject').sort(),
        list: listedBy(role).sort(),
      }).toEqual({
        read: [...read].sort(),
        write: [...write].sort(),
        delete: [...(access.delete ?? [])].sort(),
        list: [...list].sort(),
      });
    });

    it('that start containers may fetch our images: of the job on Fargate, of the machine on EC2', () => {
      const pullers = allowed().filter(({ actions }) => actions.includes('ecr:BatchGetImage'));
      expect(pullers.map(({ owner }) => owner)).toEqual(['JobExecutionRole', 'GpuInstanceRole']);
      for (const { owner, actions, resources } of pullers) {
        expect(actions, owner).toContain('ecr:GetDownloadUrlForLayer');
        expect(resources, owner).toEqual(['{ImageRepository.Arn}']);
      }
      const known = allowed().filter(({ actions }) => actions.includes('ecr:GetAuthorizationToken'));
      expect(known.map(({ owner }) => owner)).toEqual(['JobExecutionRole', 'GpuInstanceRole']);
    });

    it('are those of this list, and the one that copies audits', () => {
      const roles = ofType(get(), 'AWS::IAM::Role').map(([id]) => id);
      expect(roles.sort()).toEqual([...Object.keys(ACCESS), 'ReplicationRole'].sort());
    });

    it('know no prefix that core/jobs/keys.ts does not spell', () => {
      const spelled = [
        UPLOADS,
        ALERTS,
        ...[recordKey, statusKey, checkpointPrefix, resultPrefix, requestKey, definitionKey, auditPrefix].map(
          (key) => key('x'),
        ),
        lockKey('x'),
        waitingKey('x'),
        temporaryPrefix('x', 1),
      ].map((key) => key.split('/')[0]);
      const used = Object.values(ACCESS).flatMap((access) => Object.values(access).flat());
      expect([...new Set(used.map((key: string) => key.split('/')[0]))].sort()).toEqual(
        [...new Set(spelled)].sort(),
      );
    });

    it('that touch objects may use the key for S3 only', () => {
      const users = allowed().filter(({ actions }) => actions.some((action) => action.startsWith('kms:')));
      for (const { owner, resources, condition } of users) {
        expect(resources, owner).toEqual(['{DataKey.Arn}']);
        expect(render(at(condition, 'StringEquals', 'kms:ViaService')), owner).toBe(
          's3.{AWS::Region}.amazonaws.com',
        );
      }
    });
  });

  describe('policies of resources', () => {
    it('let anybody in only through the gateway to S3, which adds no permission', () => {
      const open = resourceStatements(get()).filter(
        ({ effect, principal }) => effect === 'Allow' && (principal === '*' || at(principal, 'AWS') === '*'),
      );
      expect([...new Set(open.map(({ owner }) => owner))]).toEqual(['StorageEndpoint']);
    });

    it('say * for the resource in key policies only, where it is the key itself', () => {
      const wild = resourceStatements(get()).filter(
        ({ effect, resources }) => effect === 'Allow' && resources.includes('*'),
      );
      expect([...new Set(wild.map(({ owner }) => owner))].sort()).toEqual(['AlarmKey', 'DataKey']);
    });
  });
}
