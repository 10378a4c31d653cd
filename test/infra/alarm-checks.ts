import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CANCEL_REASON } from '../../core/jobs/failure.ts';
import { ALERTS, alertKey } from '../../core/jobs/keys.ts';
import { ROOT } from './packaging.ts';
import type { Json, Resource, Template } from './template.ts';
import { at, listAt, ofType, render, resourceStatements } from './template.ts';
import { writtenMetrics } from './written-metrics.ts';

/** Anchors of a document's headings, as GitHub makes them. */
function anchorsOf(file: string): string[] {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  return [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w\s-]/g, '')
      .trim()
      .replaceAll(' ', '-'),
  );
}

const SLOT = '2026-03-01T00:00:00.000Z';

/** What a target is sent of an event: its template with each place filled from the event, which must be JSON. */
function mailOf(target: Json | undefined, event: Json): string {
  const places = at(target, 'InputTransformer', 'InputPathsMap') as Readonly<Record<string, string>>;
  const template = String(at(target, 'InputTransformer', 'InputTemplate'));
  const mail = template.replace(/<(\w+)>/g, (_, name: string) => {
    const [, ...way] = places[name]!.split('.');
    return String(at(event, ...way) ?? '');
  });
  return JSON.parse(mail) as string;
}

export function checkAlarms(get: () => Template, tags: () => Json | undefined): void {
  const alarms = () => ofType(get(), 'AWS::CloudWatch::Alarm');
  const watched = (namespace: string) =>
    alarms().filter(([, { Properties }]) => Properties.Namespace === namespace);

  describe('alarms', () => {
    it('watch failed jobs, given-up events, policies, the API and every function', () => {
      expect(watched('AWS/SQS').map(([, alarm]) => at(alarm.Properties, 'MetricName'))).toEqual([
        'ApproximateNumberOfMessagesVisible',
      ]);
      expect(
        watched('AWS/Events').map(([, alarm]) => render(at(alarm.Properties, 'Dimensions', 0, 'Value'))),
      ).toEqual(['{FailedJobs}']);
      const functions = ofType(get(), 'AWS::Lambda::Function').map(([id]) => `{${id}}`);
      expect(
        watched('AWS/Lambda').map(([, alarm]) => render(at(alarm.Properties, 'Dimensions', 0, 'Value'))),
      ).toEqual(functions);
    });

    it('watch every metric that the functions write, each with namespace and dimensions that are written', async () => {
      const [{ Properties }] = ofType(get(), 'AWS::Lambda::Function').map(([, each]) => each) as [Resource];
      const stage = String(at(Properties, 'Environment', 'Variables', 'STAGE'));
      const own = alarms().filter(([, alarm]) => !String(alarm.Properties.Namespace).startsWith('AWS/'));
      const found = own.map(([, alarm]) => ({
        namespace: alarm.Properties.Namespace,
        name: alarm.Properties.MetricName,
        dimensions: Object.fromEntries(
          listAt(alarm.Properties, 'Dimensions').map((entry) => [at(entry, 'Name'), at(entry, 'Value')]),
        ),
      }));
      const written = await writtenMetrics(stage);
      for (const metric of found) expect(written).toContainEqual(metric);
      const names = (metrics: readonly { readonly name: unknown }[]) =>
        [...new Set(metrics.map(({ name }) => name))].sort();
      expect(names(found)).toEqual(names(written));
    });

    it('tell the topic, stay silent without data and name a page of the runbook that exists', () => {
      const anchors = anchorsOf('docs/operations.md');
      for (const [id, { Properties }] of alarms()) {
        expect(listAt(Properties, 'AlarmActions').map(render), id).toEqual(['{AlarmTopic}']);
        expect(Properties.TreatMissingData, id).toBe('notBreaching');
        const anchor = /docs\/operations\.md#([\w-]+)$/.exec(String(Properties.AlarmDescription))?.[1];
        expect(anchors, id).toContain(anchor);
      }
    });

    it('mail each failed job with its reason, but neither shards nor what a user cancelled', () => {
      const rule = get().Resources.FailedJobs!.Properties;
      const detail = at(rule, 'EventPattern', 'detail');
      expect(at(detail, 'status')).toEqual(['FAILED']);
      expect(at(detail, 'arrayProperties', 'index')).toEqual([{ exists: false }]);
      expect(at(detail, '$or', 0, 'statusReason')).toEqual([{ 'anything-but': { prefix: CANCEL_REASON } }]);
      expect(listAt(rule, 'Targets').map((target) => render(at(target, 'Arn')))).toEqual(['{AlarmTopic}']);
      expect(String(at(rule, 'Targets', 0, 'InputTransformer', 'InputTemplate'))).toContain('<reason>');
    });

    it('mail each scheduled audit that broke its policy, by its definition and period', () => {
      const rule = get().Resources.BrokenPolicies!.Properties;
      expect(at(rule, 'EventPattern')).toEqual({
        source: ['aws.s3'],
        'detail-type': ['Object Created'],
        detail: { bucket: { name: [{ Ref: 'DataBucket' }] }, object: { key: [{ prefix: ALERTS }] } },
      });
      const [target, ...others] = listAt(rule, 'Targets');
      expect([render(at(target, 'Arn')), others]).toEqual(['{AlarmTopic}', []]);
      const mail = mailOf(target, { detail: { object: { key: alertKey('weekly', new Date(SLOT)) } } });
      expect(mail).toContain(' alerts/weekly/20260301T000000Z.json ');
      expect(mail).toContain('docs/operations.md#policy-failures');
    });

    it('that are mailed are text, as EventBridge wants it, and name a page of the runbook that exists', () => {
      const anchors = anchorsOf('docs/operations.md');
      const targets = ofType(get(), 'AWS::Events::Rule')
        .flatMap(([, { Properties }]) => listAt(Properties, 'Targets'))
        .filter((target) => render(at(target, 'Arn')) === '{AlarmTopic}');
      expect(targets).toHaveLength(2);
      for (const target of targets) {
        const anchor = /docs\/operations\.md#([\w-]+)/.exec(mailOf(target, {}))?.[1];
        expect(anchors).toContain(anchor);
      }
    });

    it('can be published by the service that mails, and with the key of the topic', () => {
      const allowed = (id: string) =>
        resourceStatements(get())
          .filter(({ owner, effect }) => owner === id && effect === 'Allow')
          .filter(({ principal }) => listAt(principal, 'Service').includes('events.amazonaws.com'))
          .map(({ actions, condition }) => [actions, condition]);
      expect(allowed('AlarmTopicPolicy')).toEqual([[['sns:Publish'], undefined]]);
      expect(allowed('AlarmKey')).toEqual([[['kms:Decrypt', 'kms:GenerateDataKey'], undefined]]);
    });

    it('go to an encrypted topic whose key is renewed', () => {
      expect(render(get().Resources.AlarmTopic!.Properties.KmsMasterKeyId)).toBe('{AlarmKey}');
      expect(get().Resources.AlarmKey!.Properties.EnableKeyRotation).toBe(true);
    });

    it('include the month’s cost by tag, before and after it is spent', () => {
      const budget = get().Resources.MonthlyBudget!.Properties;
      expect(at(budget, 'Budget', 'TimeUnit')).toBe('MONTHLY');
      expect(render(at(budget, 'Budget', 'CostFilters', 'TagKeyValue', 0))).toBe(
        'user:Project$counterweight',
      );
      const kinds = listAt(budget, 'NotificationsWithSubscribers').map((entry) =>
        at(entry, 'Notification', 'NotificationType'),
      );
      expect(kinds).toEqual(['FORECASTED', 'ACTUAL']);
    });
  });

  describe('tags', () => {
    const NAMES = ['Project', 'Stage', 'Owner', 'ManagedBy'];

    it('are put on the whole stack', () => {
      expect(Object.keys(tags() as object)).toEqual(NAMES);
    });

    it('are put on what Batch starts, which the stack’s do not reach', () => {
      for (const [id, { Properties }] of [
        ...ofType(get(), 'AWS::Batch::ComputeEnvironment'),
        ...ofType(get(), 'AWS::Batch::JobQueue'),
        ...ofType(get(), 'AWS::Batch::JobDefinition'),
      ]) {
        expect(Object.keys(at(Properties, 'Tags') as object), id).toEqual(NAMES);
      }
      for (const id of ['GpuSpot', 'GpuOnDemand']) {
        const machine = at(get().Resources[id]!.Properties, 'ComputeResources', 'Tags');
        expect(Object.keys(machine as object), id).toEqual(NAMES);
      }
    });
  });
}
