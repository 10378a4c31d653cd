import { describe, expect, it } from 'vitest';
import { auditPrefix, temporaryPrefix } from '../../core/jobs/keys.ts';
import type { Template } from './template.ts';
import { at, listAt, ofType, resourceStatements } from './template.ts';

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
  });
}

function isIf(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'Fn::If' in entry;
}
