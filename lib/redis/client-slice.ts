/** The part of an `ioredis` client (5 or newer, clusters included) that is used here. */
export interface RedisClientSlice {
  readonly status: string
  evalsha (sha1: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  eval (script: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  ping (): Promise<string>
  on (event: 'ready' | 'close' | 'end', listener: () => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  off (event: 'ready' | 'close', listener: () => void): unknown
}

/** The part of an `ioredis` client that is used for subscriptions. */
export interface RedisSubscriberSlice {
  readonly status: string
  subscribe (channel: string): Promise<unknown>
  on (event: 'message', listener: (channel: string, message: string) => void): unknown
  on (event: 'ready' | 'close', listener: () => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  off (event: 'message', listener: (channel: string, message: string) => void): unknown
  off (event: 'ready', listener: () => void): unknown
}
