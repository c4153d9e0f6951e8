import { type ConnectOptions, connectClient, type TestClient } from './client.ts';
import { type ServiceName, ServiceProcess } from './service-process.ts';

export interface FleetOptions {
  readonly gateways?: number;
  readonly writers?: number;
  readonly janitors?: number;
  /** Of every service; at least where Redis and MongoDB are. */
  readonly env: Readonly<Record<string, string>>;
}

/** Gateways, writers and janitors as separate processes. Ready when `start` resolves; gone with its scope. */
export class Fleet implements AsyncDisposable {
  readonly gateways: readonly ServiceProcess[];
  readonly writers: readonly ServiceProcess[];
  readonly janitors: readonly ServiceProcess[];

  private constructor(services: readonly ServiceProcess[]) {
    const named = (name: ServiceName) => services.filter((service) => service.name === name);
    this.gateways = named('gateway');
    this.writers = named('writer');
    this.janitors = named('janitor');
  }

  static async start({ gateways = 2, writers = 2, janitors = 1, env }: FleetOptions): Promise<Fleet> {
    const several = (name: ServiceName, count: number) => new Array<ServiceName>(count).fill(name);
    const names = [...several('writer', writers), ...several('janitor', janitors), ...several('gateway', gateways)];
    const starts = await Promise.allSettled(names.map((name) => ServiceProcess.start(name, env)));
    const services = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
    const fleet = new Fleet(services);
    try {
      for (const start of starts) if (start.status === 'rejected') throw start.reason;
      await fleet.ready();
      return fleet;
    } catch (error) {
      await fleet.kill();
      throw error;
    }
  }

  get services(): readonly ServiceProcess[] {
    return [...this.gateways, ...this.writers, ...this.janitors];
  }

  /** Where clients may connect. */
  get urls(): readonly string[] {
    return this.gateways.map((gateway) => gateway.url);
  }

  /** Resolves when every service that runs is. */
  async ready(): Promise<void> {
    await Promise.all(this.services.filter((service) => service.isRunning).map((service) => service.ready()));
  }

  /** A socket at the gateway of that number, which has not joined yet. */
  connect(gateway: number, options: ConnectOptions = {}): Promise<TestClient> {
    const url = this.urls[gateway % this.urls.length];
    if (url === undefined) throw new Error('a fleet without a gateway');
    return connectClient(url, options);
  }

  /** SIGTERM to all, clients' side first. */
  async stop(): Promise<void> {
    await Promise.all(this.gateways.map((service) => service.stop()));
    await Promise.all([...this.writers, ...this.janitors].map((service) => service.stop()));
  }

  async kill(): Promise<void> {
    await Promise.all(this.services.map((service) => service.kill()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.services) if (service.isRunning) service.resume();
    await this.stop().finally(() => this.kill());
  }
}
