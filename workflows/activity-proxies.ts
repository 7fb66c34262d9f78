import { ActivityCancellationType, proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/index.js';
import { PERMANENT_KINDS } from '../domain/failure.js';

/**
 * Every activity heartbeats from a timer, so a killed worker is noticed after HEARTBEAT whatever it was doing. A false alarm is harmless: reads are
 * repeated, and a command on a node is attached to again, never started twice.
 */
const HEARTBEAT = '7 seconds';

/** A worker that died is replaced at once, the tenth time too; an activity that failed says itself how long to wait (activities/failure.ts). */
const retry = { initialInterval: '1 second', backoffCoefficient: 1, nonRetryableErrorTypes: [...PERMANENT_KINDS] };

/** Reads and small writes: tried again through an API server's restart or a dropped connection for a quarter of an hour. */
const SHORT: ActivityOptions = { startToCloseTimeout: '3 minutes', scheduleToCloseTimeout: '15 minutes', heartbeatTimeout: HEARTBEAT, retry };
/** Waits and commands on nodes: no limit of ours ends them; they end by their own deadline or by the command's end. */
const LONG: ActivityOptions = {
  startToCloseTimeout: '24 hours',
  heartbeatTimeout: HEARTBEAT,
  // A drain that is given up has to have stopped evicting before the node is uncordoned.
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry,
};

/** A person waits for the answer: what cannot be reached is told after a minute and a half, not after a quarter of an hour. */
const ASKED: ActivityOptions = { ...SHORT, scheduleToCloseTimeout: '90 seconds' };

export const asked = (summary: string) => proxyActivities<Activities>({ ...ASKED, summary });
export const short = (summary: string) => proxyActivities<Activities>({ ...SHORT, summary });
export const long = (summary: string) => proxyActivities<Activities>({ ...LONG, summary });
