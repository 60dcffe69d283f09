# Checks the ONNX files of a folder with the checker of the onnx package:
#   check_onnx.py FOLDER
# It prints a line of JSON for each: its name, and why it is refused, or "".
import json
import os
import sys

import onnx

for name in sorted(os.listdir(sys.argv[1])):
    if not name.endswith(".onnx"):
        continue
    refused = ""
    try:
        onnx.checker.check_model(os.path.join(sys.argv[1], name), full_check=True)
    except Exception as error:  # the checker and the inference of shapes have errors of their own
        refused = str(error).splitlines()[0]
    print(json.dumps({"name": name, "refused": refused}))
