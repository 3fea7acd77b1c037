import type { Command } from 'commander';
import type { DetectorKind } from '../../domain/detect/detector.ts';
import { detectorKinds } from '../../domain/detect/detectors.ts';
import { NETWORK } from '../../domain/detect/seismic/network-parameters.ts';
import { leaf } from '../command-line.ts';
import { print, printJson, table } from '../output.ts';

export function declareList(detect: Command): void {
  leaf(detect, 'list', 'list detectors with their parameters and defaults', 'tocsin detect list').action(
    list,
  );
}

function list({ json }: { readonly json?: boolean }): void {
  const kinds: readonly Pick<DetectorKind, 'name' | 'summary' | 'channels' | 'parameters'>[] = [
    ...detectorKinds(),
    NETWORK,
  ];
  if (json) {
    printJson({
      detectors: kinds.map(({ name, summary, channels, parameters }) => ({
        name,
        summary,
        channels,
        parameters,
      })),
    });
    return;
  }
  for (const { name, summary, channels, parameters } of kinds) {
    const takes = channels.maximum === 1 ? '' : `; ${channels.minimum} to ${channels.maximum} channels`;
    print(`${name}: ${summary}${takes}`);
    const rows = Object.entries(parameters).map(
      ([parameter, { default: usual, minimum, maximum, unit, meaning }]) => [
        `  ${parameter}`,
        String(usual),
        `${minimum} to ${maximum}`,
        unit ?? '-',
        meaning,
      ],
    );
    if (rows.length > 0) print(table(['  parameter', 'default', 'range', 'unit', 'meaning'], rows));
    print('');
  }
}
