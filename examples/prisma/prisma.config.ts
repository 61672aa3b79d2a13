// Prisma runs the schema engine of its package, over the driver, so that nothing else is downloaded. That engine
// expects text where PostgreSQL's catalog has `name` and `"char"`.
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { defineConfig } from 'prisma/config'

type Result = { addFields(fields: { dataTypeID: number }[]): void }

const TEXT = 25
const CATALOG_TEXTS = [18, 19]

const result = pg.Result.prototype as unknown as Result
const addFields = result.addFields
result.addFields = function (fields) {
  for (const field of fields) {
    if (CATALOG_TEXTS.includes(field.dataTypeID)) field.dataTypeID = TEXT
  }
  addFields.call(this, fields)
}

export default defineConfig({
  schema: 'schema.prisma',
  experimental: { adapter: true },
  engine: 'js',
  adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL }),
})
