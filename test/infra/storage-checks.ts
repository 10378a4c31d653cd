import { describe, expect, it } from 'vitest';
import { auditPrefix, temporaryPrefix } from '../../core/jobs/keys.ts';
import type { Statement, Template } from './template.ts';
import { at, listAt, ofType, render, resourceStatements } from './template.ts';

/** What CloudFormation asks of a key to set, change and read back each property. */
const TO_CHANGE_A_KEY: Readonly<Record<string, readonly string[]>> = {
  Description: ['kms:DescribeKey', 'kms:UpdateKeyDescription'],
  EnableKeyRotation: ['kms:DisableKeyRotation', 'kms:EnableKeyRotation', 'kms:GetKeyRotationStatus'],
  PendingWindowInDays: ['kms:CancelKeyDeletion', 'kms:ScheduleKeyDeletion'],
  KeyPolicy: ['kms:GetKeyPolicy', 'kms:PutKeyPolicy'],
};

export function checkStorage(get: () => Template): void {
  const buckets = () => ofType(get(), 'AWS::S3::Bucket');
  const data = () => get().Resources.DataBucket!;
  const rule = (id: string) =>
    listAt(data().Properties, 'LifecycleConfiguration', 'Rules').find((entry) => at(entry, 'Id') === id);

  describe('buckets', () => {
    it('are the data, the locked audits and the deployments', () => {
      expect(buckets().map(([id]) => id)).toEqual([
        'ServerlessDeploymentBucket',
        'DataBucket',
        'AuditBucket',
      ]);
    });

    it('are all encrypted, private, versioned and owned by the account', () => {
      for (const [id, { Properties }] of buckets()) {
        const [encryption] = listAt(Properties, 'BucketEncryption', 'ServerSideEncryptionConfiguration');
        expect(at(encryption, 'ServerSideEncryptionByDefault', 'SSEAlgorithm'), id).toMatch(
          /^(?:aws:kms|AES256)$/,
        );
        expect(Properties.PublicAccessBlockConfiguration, id).toEqual({
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        });
        expect(at(Properties, 'VersioningConfiguration', 'Status'), id).toBe('Enabled');
        expect(at(Properties, 'OwnershipControls', 'Rules', 0, 'ObjectOwnership'), id).toBe(
          'BucketOwnerEnforced',
        );
      }
    });

    it('refuse requests without TLS', () => {
      for (const [id] of buckets()) {
        const policies = ofType(get(), 'AWS::S3::BucketPolicy').filter(
          ([, { Properties }]) => at(Properties, 'Bucket', 'Ref') === id,
        );
        const denied = resourceStatements(get()).filter(
          ({ owner, effect, principal, condition }) =>
            policies.some(([policy]) => policy === owner) &&
            effect === 'Deny' &&
            principal === '*' &&
            String(at(condition, 'Bool', 'aws:SecureTransport')) === 'false',
        );
        expect(denied, id).toHaveLength(1);
        expect(denied[0]!.actions, id).toEqual(['s3:*']);
        expect(denied[0]!.resources, id).toHaveLength(2);
      }
    });

    it('with data use the key of their own, which is renewed and stays with them', () => {
      for (const id of ['DataBucket', 'AuditBucket']) {
        const { Properties, DeletionPolicy, UpdateReplacePolicy } = get().Resources[id]!;
        const [encryption] = listAt(Properties, 'BucketEncryption', 'ServerSideEncryptionConfiguration');
        expect(encryption, id).toEqual({
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms',
            KMSMasterKeyID: { 'Fn::GetAtt': ['DataKey', 'Arn'] },
          },
        });
        expect([DeletionPolicy, UpdateReplacePolicy], id).toEqual(['Retain', 'Retain']);
      }
      const key = get().Resources.DataKey!;
      expect(key.Properties.EnableKeyRotation).toBe(true);
      expect(key.DeletionPolicy).toBe('Retain');
    });
  });

  describe('keys', () => {
    it('let the account give, move and take away the aliases that the stack has for them', () => {
      const named = ofType(get(), 'AWS::KMS::Alias').map(([, { Properties }]) =>
        at(Properties.TargetKeyId, 'Ref'),
      );
      expect(named).toEqual(['DataKey']);
      const administered = resourceStatements(get()).filter(
        ({ owner, effect, principal }) =>
          named.includes(owner) && effect === 'Allow' && render(at(principal, 'AWS')).endsWith(':root'),
      );
      expect(administered.map(({ actions }) => actions.filter((action) => action.endsWith('Alias')))).toEqual(
        [['kms:CreateAlias', 'kms:DeleteAlias', 'kms:UpdateAlias']],
      );
    });

    it('let whoever administers them change every property that the template sets', () => {
      for (const [id, { Properties }] of ofType(get(), 'AWS::KMS::Key')) {
        const [{ actions }] = resourceStatements(get()).filter(({ owner }) => owner === id) as [Statement];
        const needed = Object.keys(Properties).flatMap((name) => TO_CHANGE_A_KEY[name]!);
        expect(
          needed.filter((action) => !actions.includes(action)),
          id,
        ).toEqual([]);
      }
    });
  });

  describe('the data bucket', () => {
    it('forgets temporary results, unfinished uploads and old versions', () => {
      expect(rule('temporary-results')).toMatchObject({
        Prefix: `${temporaryPrefix('x', 1).split('/')[0]}/`,
        ExpirationInDays: 2,
      });
      expect(rule('unfinished-uploads')).toMatchObject({
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 },
      });
      expect(rule('old-versions')).toMatchObject({ NoncurrentVersionExpiration: { NoncurrentDays: 30 } });
    });

    it('keeps results unless a parameter says for how long, and all other state', () => {
      const rules = listAt(data().Properties, 'LifecycleConfiguration', 'Rules');
      const [results, ...more] = rules.filter(isIf);
      expect(more).toEqual([]);
      expect(at(results, 'Prefix')).toBe('results/');
      expect(get().Conditions.HasResultExpiry).toEqual({
        'Fn::Not': [{ 'Fn::Equals': [{ Ref: 'ResultDays' }, 0] }],
      });
      const expiring = rules.filter((entry) => !isIf(entry) && at(entry, 'ExpirationInDays') !== undefined);
      expect(expiring.map((entry) => at(entry, 'Prefix'))).toEqual(['tmp/']);
    });

    it('tells EventBridge of new objects', () => {
      expect(at(data().Properties, 'NotificationConfiguration')).toEqual({
        EventBridgeConfiguration: { EventBridgeEnabled: true },
      });
    });

    it('copies audits, and nothing else, into the locked bucket when that is wanted', () => {
      const { Properties, Condition } = get().Resources.AuditBucket!;
      expect(Condition).toBe('HasObjectLock');
      expect(Properties.ObjectLockEnabled).toBe(true);
      expect(at(Properties, 'ObjectLockConfiguration', 'Rule', 'DefaultRetention')).toEqual({
        Mode: { Ref: 'ObjectLockMode' },
        Days: { Ref: 'ObjectLockDays' },
      });
      const rules = listAt(data().Properties, 'ReplicationConfiguration', 'Rules');
      expect(rules.map((entry) => at(entry, 'Filter', 'Prefix'))).toEqual([
        `${auditPrefix('x').split('/')[0]}/`,
      ]);
      expect(at(data().Properties.ReplicationConfiguration, 'Rules')).toBeDefined();
      expect(JSON.stringify(data().Properties.ReplicationConfiguration)).toContain('HasObjectLock');
    });

    it('has copies that fail counted, for the alarm on the same rule', () => {
      const [copied] = listAt(data().Properties, 'ReplicationConfiguration', 'Rules');
      expect(at(copied, 'Destination', 'Metrics')).toEqual({ Status: 'Enabled' });
      const { Properties, Condition } = get().Resources.FailedCopies!;
      expect(Condition).toBe('HasObjectLock');
      expect([Properties.Namespace, Properties.MetricName]).toEqual([
        'AWS/S3',
        'OperationsFailedReplication',
      ]);
      const dimensions = listAt(Properties, 'Dimensions').map((entry) => [
        at(entry, 'Name'),
        render(at(entry, 'Value')),
      ]);
      expect(Object.fromEntries(dimensions)).toEqual({
        SourceBucket: '{DataBucket}',
        DestinationBucket: '{AuditBucket}',
        RuleId: at(copied, 'Id'),
      });
    });
  });
}

function isIf(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'Fn::If' in entry;
}
