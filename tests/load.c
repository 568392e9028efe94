/* Runs one signature of an exported model through TensorFlow's C API, with the loader that
 * TF Serving uses (TF_LoadSessionFromSavedModel).
 *
 *   load DIR OUTPUT NAME TYPE DIMS FILE [NAME TYPE DIMS FILE ...]
 *
 * OUTPUT and NAME are tensors of the graph, "operation:index". TYPE is float or int32, DIMS
 * is like 3x8x8x1, FILE holds the raw numbers. The output's bytes go to standard output. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tensorflow/c/c_api.h"

static void check(TF_Status* status) {
  if (TF_GetCode(status) == TF_OK) return;
  fprintf(stderr, "%d: %s\n", TF_GetCode(status), TF_Message(status));
  exit(1);
}

static TF_Output find(TF_Graph* graph, char* name) {
  char* colon = strrchr(name, ':');
  TF_Output found;
  *colon = 0;
  found.oper = TF_GraphOperationByName(graph, name);
  found.index = atoi(colon + 1);
  if (!found.oper) {
    fprintf(stderr, "no operation %s\n", name);
    exit(2);
  }
  return found;
}

static TF_Tensor* read_tensor(const char* type, char* dims, const char* path) {
  int64_t shape[8];
  int rank = 0;
  int64_t count = 1;
  for (char* part = strtok(dims, "x"); part; part = strtok(NULL, "x")) {
    shape[rank] = atoll(part);
    count *= shape[rank++];
  }
  TF_DataType kind = strcmp(type, "float") ? TF_INT32 : TF_FLOAT;
  TF_Tensor* tensor = TF_AllocateTensor(kind, shape, rank, 4 * (size_t)count);
  FILE* file = fopen(path, "rb");
  if (!file || fread(TF_TensorData(tensor), 4, count, file) != (size_t)count) exit(3);
  fclose(file);
  return tensor;
}

int main(int argc, char** argv) {
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_SessionOptions* options = TF_NewSessionOptions();
  const char* tags[] = {"serve"};
  TF_Session* session = TF_LoadSessionFromSavedModel(options, NULL, argv[1], tags, 1, graph,
                                                     NULL, status);
  check(status);
  int count = (argc - 3) / 4;
  TF_Output* names = calloc(count, sizeof *names);
  TF_Tensor** tensors = calloc(count, sizeof *tensors);
  for (int i = 0; i < count; i++) {
    char** words = argv + 3 + 4 * i;
    names[i] = find(graph, words[0]);
    tensors[i] = read_tensor(words[1], words[2], words[3]);
  }
  TF_Output output = find(graph, argv[2]);
  TF_Tensor* found = NULL;
  TF_SessionRun(session, NULL, names, tensors, count, &output, &found, 1, NULL, 0, NULL,
                status);
  check(status);
  fwrite(TF_TensorData(found), 1, TF_TensorByteSize(found), stdout);
  TF_CloseSession(session, status);
  check(status);
  return 0;
}
