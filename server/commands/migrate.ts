import { readTaskConfig } from '../config/index.js'
import { openData } from '../open-data.js'

export async function migrate (): Promise<void> {
  const database = await openData(readTaskConfig(process.env), (text) => console.log(text))
  await database.close()
  console.log('The tables are up to date.')
}
