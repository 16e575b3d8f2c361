import { join } from 'node:path';

export interface OpensearchPlaces {
  /** The unpacked distribution. */
  readonly home: string;
  readonly dataDir: string;
  /** Java's archive of loaded classes: made at this node's end unless it is there, and used if it is. Null: none. */
  readonly classArchive: string | null;
}

/** The configuration of one node alone on 127.0.0.1, that a nearly full disk of a developer does not block. */
export function opensearchFiles(dataDir: string, port: number): Record<string, string> {
  const settings = [
    'cluster.name: reindex-fleet',
    'node.name: embedded',
    'network.host: 127.0.0.1',
    `http.port: ${port}`,
    'transport.port: 0',
    'discovery.type: single-node',
    `path.data: ${JSON.stringify(join(dataDir, 'data'))}`,
    `path.logs: ${JSON.stringify(join(dataDir, 'logs'))}`,
    'cluster.routing.allocation.disk.threshold_enabled: false',
    'action.destructive_requires_name: true',
  ];
  const logging = [
    'status = error',
    'appender.console.type = Console',
    'appender.console.name = console',
    'appender.console.layout.type = PatternLayout',
    'appender.console.layout.pattern = [%d{ISO8601}][%-5p][%-25c{1.}]%marker %m%n',
    'rootLogger.level = info',
    'rootLogger.appenderRef.console.ref = console',
  ];
  return {
    'opensearch.yml': `${settings.join('\n')}\n`,
    'log4j2.properties': `${logging.join('\n')}\n`,
    'jvm.options': '',
  };
}

/**
 * What the distribution's own start script passes to Java, by `bin/opensearch` and `config/jvm.options`, but for a heap
 * that begins small and quick compilation: this node starts often and runs briefly.
 */
export function opensearchArguments({ home, dataDir, classArchive }: OpensearchPlaces): string[] {
  const temporary = join(dataDir, 'tmp');
  return [
    '-Xms512m',
    '-Xmx1g',
    '-Xss1m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    ...(classArchive === null
      ? []
      : [
          '-XX:+AutoCreateSharedArchive',
          `-XX:SharedArchiveFile=${classArchive}`,
          '-Xlog:cds=off',
          '-Xlog:cds+dynamic=off',
        ]),
    '-Djava.awt.headless=true',
    '-Dfile.encoding=UTF-8',
    '-Djna.nosys=true',
    '-Djava.locale.providers=SPI,CLDR',
    '-Dio.netty.noUnsafe=true',
    '-Dio.netty.noKeySetOptimization=true',
    '-Dio.netty.recycler.maxCapacityPerThread=0',
    '-Dio.netty.allocator.numDirectArenas=0',
    '-Dlog4j.shutdownHookEnabled=false',
    '-Dlog4j2.disable.jmx=true',
    '-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1',
    `-Djava.io.tmpdir=${temporary}`,
    `-XX:ErrorFile=${join(dataDir, 'logs', 'hs_err_pid%p.log')}`,
    `-Dopensearch.path.home=${home}`,
    `-Dopensearch.path.conf=${join(dataDir, 'config')}`,
    '-Dopensearch.distribution.type=tar',
    '-Dopensearch.bundled_jdk=false',
    // The agent's classes are needed on the class path though the agent itself, a sandbox for plugins, is not attached.
    '-cp',
    `${join(home, 'lib')}/*:${join(home, 'agent')}/*`,
    'org.opensearch.bootstrap.OpenSearch',
  ];
}
