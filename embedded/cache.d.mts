export function cacheDirectory(env?: NodeJS.ProcessEnv): string;
export function isExecutable(file: string): boolean;
export function placeInCache(
  target: string,
  build: (directory: string) => Promise<string>,
  log?: (line: string) => void,
): Promise<string>;
