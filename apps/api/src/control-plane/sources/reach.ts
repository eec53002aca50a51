/** Whether what is read of a source crosses a network, as far as its definition tells: no adapter is asked. Where it cannot be told it does. */
import { isLoopback } from '../../config.ts';
import { parseKafkaSource } from '../../kafka-address.ts';
import { isSocketFolder, parsePostgresTarget } from '../../postgres-target.ts';

export function isOverNetwork({
  connector,
  config,
}: {
  readonly connector: string;
  readonly config: unknown;
}): boolean {
  const { url = '', endpoint } = config as { url?: string; endpoint?: string };
  const hosts = hostsOf(connector, url, endpoint);
  return (
    hosts !== null && !(hosts.length > 0 && hosts.every((host) => isSocketFolder(host) || isLoopback(host)))
  );
}

/** Null: a file. Empty: not known. */
function hostsOf(connector: string, url: string, endpoint: string | undefined): string[] | null {
  if (connector === 'postgres') {
    const target = parsePostgresTarget(url);
    return typeof target === 'string' ? [] : [target.host];
  }
  if (connector === 's3') {
    const host = endpoint === undefined ? undefined : URL.parse(endpoint)?.hostname;
    return host === undefined ? [] : [withoutBrackets(host)];
  }
  if (connector === 'kafka') {
    const address = parseKafkaSource(url);
    return typeof address === 'string' ? [] : address.brokers.map(({ host }) => host);
  }
  return null;
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
