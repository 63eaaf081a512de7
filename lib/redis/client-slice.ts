/** The part of an `ioredis` client that is used here, version 5 or newer; so is a client of a cluster. */
export interface RedisClientSlice {
  readonly status: string
  evalsha (sha1: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  eval (script: string, numberOfKeys: number, ...args: Array<string | number>): Promise<unknown>
  ping (): Promise<string>
  on (event: 'ready' | 'close' | 'end', listener: () => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  off (event: 'ready' | 'close', listener: () => void): unknown
}

/** A connection that does nothing but listen. */
export interface RedisSubscriberSlice {
  readonly status: string
  subscribe (channel: string): Promise<unknown>
  on (event: 'message', listener: (channel: string, message: string) => void): unknown
  on (event: 'ready' | 'close', listener: () => void): unknown
  on (event: 'error', listener: (error: Error) => void): unknown
  off (event: 'message', listener: (channel: string, message: string) => void): unknown
  off (event: 'ready', listener: () => void): unknown
}
