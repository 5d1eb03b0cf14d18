/*
 * 10_rest_items.h - jobs that block in SQLite.  Each worker has a connection.
 */
#include "10_rest.h"
#include <sqlite3.h>

static _Thread_local sqlite3 *db;

static int open_db(void *path)
{
	static const char schema[] =
		"PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS items("
		"id INTEGER PRIMARY KEY, item TEXT NOT NULL CHECK (CASE WHEN "
		"json_valid(item) THEN json_type(item) = 'object' ELSE 0 END))";
	int code = sqlite3_open(path, &db);

	if (!code)
		code = sqlite3_busy_timeout(db, 10000);
	if (!code)
		code = sqlite3_exec(db, schema, NULL, NULL, NULL);
	if (!code)
		return 0;
	warnx("%s: %s", (char *)path, sqlite3_errmsg(db));
	sqlite3_close(db);
	return code;
}

static void close_db(void *path)
{
	(void)path;
	sqlite3_close(db);
}

/* The one text that a statement gives; what it changes is committed then. */
static void *query(const char *sql, const char *argument)
{
	sqlite3_stmt *s = NULL;
	char *json = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	if (!code)
		code = sqlite3_bind_text(s, 1, argument, -1, SQLITE_STATIC);
	if (!code && (code = sqlite3_step(s)) == SQLITE_ROW) {
		const void *text = sqlite3_column_text(s, 0);
		json = text ? strdup(text) : NULL;
		code = json ? sqlite3_step(s) : SQLITE_NOMEM;
	}
	if (code != SQLITE_DONE && code != SQLITE_CONSTRAINT)
		warnx("%s", sqlite3_errstr(code)); /* not for the client */
	sqlite3_finalize(s);
	if (code == SQLITE_DONE)
		return json ? json : soon_fail(404, "no such item");
	free(json);
	if (code == SQLITE_CONSTRAINT)
		return soon_fail(400, "an item is a JSON object");
	return soon_fail(code == SQLITE_BUSY ? 503 : 500, "no database");
}

static void *list_items(void *request)
{
	const struct request *r = request;

	if (*r->argument && number(r->argument, LLONG_MAX) < 0)
		return soon_fail(400, "after is the number of an item");
	return query("SELECT json_group_array(json(it)) FROM (SELECT "
		     "json_set(item, '$.id', id) AS it FROM items WHERE id > "
		     "CAST(?1 AS INTEGER) ORDER BY id LIMIT 1000)",
		     r->argument);
}

static void *get_item(void *request)
{
	const struct request *r = request;

	if (number(r->argument, LLONG_MAX) < 0)
		return soon_fail(400, "an item has a number");
	return query("SELECT json_set(item, '$.id', id) FROM items "
		     "WHERE id = ?1",
		     r->argument);
}

static void *add_item(void *request)
{
	const struct request *r = request;

	if (!r->body || strlen(r->body) != r->length ||
	    mbstowcs(NULL, r->body, 0) == (size_t)-1)
		return soon_fail(400, "JSON is text in UTF-8");
	return query("INSERT INTO items(item) VALUES (?1) "
		     "RETURNING json_set(item, '$.id', id)",
		     r->body);
}
