/** Starts to count; what it returns says how many milliseconds this process has computed since, whatever else runs on the machine. */
export function cpuTime (): () => number {
  const start = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(start)
    return (user + system) / 1_000
  }
}
