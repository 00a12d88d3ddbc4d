#include "runtime/store/damage.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/strings.h"
#include "runtime/store/store.h"

namespace portcullis::runtime {
namespace {

class DamageTest : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() / ("damage-test-" + base::RandomHex(6));
    std::filesystem::create_directory(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  std::string Path() const { return dir_ / "state.db"; }
  void Fill() const {
    auto store = Store::Open(Path());
    ASSERT_TRUE(store) << store.error().message;
    for (int i = 0; i < 200; ++i) ASSERT_TRUE((*store)->SetSetting(fmt::format("key {}", i), std::string(400, 'x')));
  }
  void ExpectDamage(bool has_containers = true) const {
    const auto checked = CheckDatabase(Path(), has_containers);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Code::kDataLoss) << checked.error().message;
    EXPECT_NE(checked.error().message.find(Path()), std::string::npos) << checked.error().message;
    EXPECT_NE(checked.error().message.find("restore it"), std::string::npos) << checked.error().message;
  }

  std::filesystem::path dir_;
};

TEST_F(DamageTest, AWholeOneAndNoneAreFine) {
  EXPECT_TRUE(CheckDatabase(Path(), true));
  EXPECT_FALSE(std::filesystem::exists(Path())) << "a check makes nothing";
  Fill();
  const auto checked = CheckDatabase(Path(), true);
  EXPECT_TRUE(checked) << checked.error().message;
}

TEST_F(DamageTest, EmptyIsDamageOnlyWhereThereAreContainers) {
  std::ofstream(Path()).close();
  EXPECT_TRUE(CheckDatabase(Path(), false)) << "killed at the first start";
  ExpectDamage();
  EXPECT_EQ(std::filesystem::file_size(Path()), 0u);
}

TEST_F(DamageTest, OneWithoutItsSchemaIsDamageOnlyWhereThereAreContainers) {
  ASSERT_TRUE(Database::Open(Path()));
  EXPECT_TRUE(CheckDatabase(Path(), false));
  ExpectDamage();
}

TEST_F(DamageTest, TruncatedAnywhere) {
  Fill();
  const auto size = std::filesystem::file_size(Path());
  ASSERT_GT(size, 40000u);
  for (const auto left : {size - 4096, size / 2, uintmax_t{8192}, uintmax_t{4096}, uintmax_t{1000}, uintmax_t{1}}) {
    SCOPED_TRACE(left);
    std::filesystem::resize_file(Path(), left);
    ExpectDamage();
    EXPECT_EQ(std::filesystem::file_size(Path()), left) << "nothing was changed";
  }
}

TEST_F(DamageTest, OverwrittenPages) {
  Fill();
  std::fstream file(Path(), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(8192);
  file << std::string(20000, '\x5a');
  file.close();
  ExpectDamage();
}

TEST_F(DamageTest, SomethingElse) {
  std::ofstream(Path()) << std::string(9000, 'n');
  ExpectDamage();
  ExpectDamage(false);
}

// A process is killed in the middle of a migration (its statements ran, its commit did not): the next start has the old
// version, whole, and migrates again.
TEST_F(DamageTest, KilledInAMigration) {
  constexpr std::string_view kFirst[] = {"CREATE TABLE a(x TEXT); INSERT INTO a VALUES('kept')"};
  {
    auto db = Database::Open(Path());
    ASSERT_TRUE(db);
    ASSERT_TRUE(db->Migrate(kFirst));
  }
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto db = Database::Open(Path());
    const bool ran = db && db->Execute("PRAGMA cache_spill=1") && db->Execute("PRAGMA cache_size=1") &&
                     db->Execute("BEGIN IMMEDIATE") && db->Execute("CREATE TABLE b(y TEXT)") &&
                     db->Execute(
                         "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) "
                         "INSERT INTO b SELECT hex(randomblob(200)) FROM n") &&
                     db->Execute("UPDATE a SET x='lost'") && db->Execute("PRAGMA user_version=2");
    ::kill(::getpid(), ran ? SIGKILL : SIGTERM);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(WTERMSIG(status), SIGKILL);
  const auto checked = CheckDatabase(Path(), true);
  ASSERT_TRUE(checked) << checked.error().message;
  auto db = Database::Open(Path());
  ASSERT_TRUE(db);
  constexpr std::string_view kBoth[] = {kFirst[0], "CREATE TABLE b(y TEXT)"};
  const auto migrated = db->Migrate(kBoth);
  ASSERT_TRUE(migrated) << migrated.error().message;
  auto kept = db->Prepare("SELECT x FROM a WHERE NOT EXISTS(SELECT * FROM b)");
  ASSERT_TRUE(kept && kept->Next());
  EXPECT_EQ(kept->Text(0), "kept");
}

}  // namespace
}  // namespace portcullis::runtime
