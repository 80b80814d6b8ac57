"""From the text of a file to passages at the labels of its marks. Pure: text in, portions and passages out."""
