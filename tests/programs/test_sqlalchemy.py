"""SQLAlchemy on the loop: it awaits from greenlets, which switch stacks under the loop's tasks."""

import asyncio
import contextlib
import contextvars

import pytest

sqlalchemy = pytest.importorskip("sqlalchemy")
pytest.importorskip("greenlet")

from sqlalchemy import orm  # noqa: E402
from sqlalchemy.ext import asyncio as sessions  # noqa: E402
from sqlalchemy.util import await_only, greenlet_spawn  # noqa: E402

variable = contextvars.ContextVar("variable", default="unset")


class Base(orm.DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "authors"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    books: orm.Mapped[list["Book"]] = orm.relationship(lazy="selectin", back_populates="author")


class Book(Base):
    __tablename__ = "books"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    title: orm.Mapped[str] = orm.mapped_column(unique=True)
    author_id: orm.Mapped[int] = orm.mapped_column(sqlalchemy.ForeignKey("authors.id"))
    author: orm.Mapped[Author] = orm.relationship(back_populates="books")


@pytest.fixture(params=["sqlite+aiosqlite", "postgresql+asyncpg"])
def url(request, tmp_path):
    if request.param == "sqlite+aiosqlite":
        return f"{request.param}:///{tmp_path}/database"
    port = request.getfixturevalue("postgresql").port
    return f"{request.param}://postgres@127.0.0.1:{port}/postgres?ssl=disable"


@contextlib.asynccontextmanager
async def tables(url):
    """Give what makes sessions, with empty tables."""
    engine = sessions.create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield sessions.async_sessionmaker(engine, expire_on_commit=False)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.drop_all)
    await engine.dispose()


def test_objects_are_stored_and_loaded(run, url):
    async def main():
        async with tables(url) as session_maker:
            async with session_maker.begin() as session:
                for name in ("ada", "grace"):
                    books = [Book(title=f"{name} {number}") for number in range(50)]
                    session.add(Author(name=name, books=books))
            async with session_maker() as session:
                authors = list(
                    await session.scalars(sqlalchemy.select(Author).order_by(Author.name))
                )
                assert [author.name for author in authors] == ["ada", "grace"]
                assert [len(author.books) for author in authors] == [50, 50]
                titles = await session.stream_scalars(sqlalchemy.select(Book.title))
                assert len([title async for title in titles]) == 100
            with pytest.raises(sqlalchemy.exc.IntegrityError):
                async with session_maker.begin() as session:
                    session.add(Book(title="ada 0", author_id=authors[0].id))

    run(main())


def test_many_tasks_use_sessions_at_once(run, url):
    async def main():
        async with tables(url) as session_maker:
            async with session_maker.begin() as session:
                session.add(Author(id=1, name="ada"))
            alone = asyncio.Lock()

            async def write(number):
                # SQLite takes one writer at a time.
                async with alone, session_maker.begin() as session:
                    session.add(Book(title=f"book {number}", author_id=1))

            async def read(number):
                async with session_maker() as session:
                    return (await session.get_one(Author, 1)).name

            await asyncio.gather(*map(write, range(30)))
            assert set(await asyncio.gather(*map(read, range(60)))) == {"ada"}
            async with session_maker() as session:
                count = sqlalchemy.select(sqlalchemy.func.count(Book.id))
                assert await session.scalar(count) == 30

    run(main())


def test_greenlets_see_the_variables_of_their_task_and_keep_its_context(same):
    def inside(name):
        seen = [variable.get()]
        for step in range(3):
            variable.set(f"{name}{step}")
            await_only(asyncio.sleep(0))
            seen.append(variable.get())
        return seen

    async def use(name):
        before = variable.get()
        await asyncio.sleep(0)
        return before, await greenlet_spawn(inside, name), variable.get()

    async def body(loop):
        variable.set("outside")
        return await asyncio.gather(use("a"), use("b"), use("c")), variable.get()

    same(body)
