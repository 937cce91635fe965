from tests.support.postgres import PostgresCluster


def test_each_test_has_a_database_of_its_own(postgres: PostgresCluster, postgres_url: str) -> None:
    assert postgres_url != postgres.database()


def test_a_crashed_cluster_starts_again(postgres: PostgresCluster) -> None:
    postgres.stop()
    postgres.start()

    assert postgres.sql("SELECT 1") == "1"
