import type { Channels } from './dispatch.ts';

export interface ChannelLog {
  info(fields: Record<string, unknown>, message: string): void;
}

/**
 * The channels of an exercise: everything is written to the log and counted as delivered. This composition holds no
 * live adapter, so an exercise cannot reach anybody outside.
 */
export function createExerciseChannels(log: ChannelLog): Channels {
  return {
    notify(notice) {
      log.info(
        { key: notice.key, to: notice.to, level: notice.level, text: notice.text.en },
        'exercise notice',
      );
      return Promise.resolve({ delivered: true, channel: 'exercise-log' });
    },
    actuate(actuation) {
      log.info(
        { key: actuation.key, device: actuation.device, action: actuation.action },
        'exercise actuation',
      );
      return Promise.resolve({ delivered: true, channel: 'exercise-log' });
    },
    ask({ incidentId, question }) {
      log.info(
        { incidentId, question: question.id, role: question.role, text: question.text.en },
        'waiting for a human',
      );
      return Promise.resolve();
    },
  };
}
