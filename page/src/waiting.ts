// Kinds of waits, and who waits: what the words say that tell what was waited for.

/** A kind, and whether waits of it contend for something that the program shares out. */
export interface Kind {
  name: string;
  contends: boolean;
}

const KINDS: readonly (Kind & { pattern: RegExp })[] = [
  { name: "timer", contends: false, pattern: /^(timer|sleep)/i },
  {
    name: "socket",
    contends: false,
    pattern: /^(socket|descriptor|stream|connection|file descriptor|fd)\b/i,
  },
  { name: "lock", contends: true, pattern: /^(r?lock|mutex)/i },
  { name: "queue", contends: true, pattern: /queue/i },
  { name: "semaphore", contends: true, pattern: /semaphore/i },
  { name: "condition", contends: true, pattern: /^condition/i },
  { name: "event", contends: true, pattern: /^(event|barrier)/i },
  { name: "task", contends: false, pattern: /^(tasks?|gather)\b/i },
  { name: "child process", contends: false, pattern: /^(child|process|subprocess)/i },
  { name: "executor", contends: true, pattern: /^(executor|job|thread)/i },
  { name: "future", contends: false, pattern: /^future/i },
];

const OTHER: Kind = { name: "other", contends: false };

/** The kind of a wait for `what`. */
export function kindOf(what: string): Kind {
  return KINDS.find(({ pattern }) => pattern.test(what)) ?? OTHER;
}

/** What stands in asyncio itself: recordings have the names of files only. */
const ASYNCIO =
  /\((base_\w+|locks|queues|runners|streams|subprocess|tasks|taskgroups|threads|timeouts)\.py:\d+\)$/;

/** Who in a chain of awaits is the innermost that is no part of asyncio; empty if there is none. */
export function waiterIn(chain: readonly string[]): string {
  return chain.filter((name) => name.endsWith(")") && !ASYNCIO.test(name)).at(-1) ?? "";
}
