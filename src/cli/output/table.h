// Text tables as crictl prints them: columns of at least 20 characters with 3 blanks between, left-aligned, no rules.
//
//   Table table({"CONTAINER", "STATE"});
//   table.AddRow({"ab12", "Running"});
//   out << table.Text();
//
// The last column is not padded, so a line has no trailing blanks. Cells are counted in UTF-8 characters.
#pragma once

#include <string>
#include <vector>

namespace portcullis::cli {

class Table {
 public:
  // An empty header gives a table without one.
  explicit Table(std::vector<std::string> header);

  void AddRow(std::vector<std::string> cells);
  std::string Text() const;  // every line ends in a newline

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace portcullis::cli
