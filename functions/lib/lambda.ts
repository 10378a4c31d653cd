import { isCounterweightError } from '../../core/errors.ts';
import type { EventHandler } from './events.ts';
import { codeOf } from './problem.ts';
import type { Telemetry } from './telemetry.ts';

/**
 * A handler whose dependencies are made at its first call, so that importing its file does nothing. Where they
 * cannot be made, the next call tries again.
 *
 * @param makeDeps  reads the environment
 * @param makeHandler  the handler's factory
 */
export function onFirstCall<D, E, A>(
  makeDeps: () => D | Promise<D>,
  makeHandler: (deps: D) => (event: E) => Promise<A>,
): (event: E) => Promise<A> {
  let made: Promise<(event: E) => Promise<A>> | null = null;
  const make = async () => makeHandler(await makeDeps());
  return async (event) => {
    made ??= make().catch((error: unknown) => {
      made = null;
      throw withoutStack(isCounterweightError(error) ? error.message : codeOf(error));
    });
    return (await made)(event);
  };
}

/** A handler of events: what it throws is logged by its code, and thrown on so that the event comes again. */
export function makeEventHandler(
  { telemetry }: { readonly telemetry: Telemetry },
  handle: (event: unknown) => Promise<void>,
): EventHandler {
  return async (event) => {
    try {
      await handle(event);
    } catch (error) {
      telemetry.log('error', 'event not handled', { code: codeOf(error) });
      throw withoutStack(`event not handled: ${codeOf(error)}`);
    }
  };
}

/** The runtime of Lambda logs what it catches, stack and all. */
function withoutStack(message: string): Error {
  const bare = new Error(message);
  bare.stack = message;
  return bare;
}
