#include "http/stream/websocket.h"

#include <sys/random.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/check.h"

namespace portcullis::http {

namespace {

uint8_t OpcodeOf(MessageKind kind) { return kind == MessageKind::kText ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME; }

std::string_view Text(const uint8_t* data, size_t size) { return {reinterpret_cast<const char*>(data), size}; }

}  // namespace

struct WebSocket::State {
  wslay_event_context_ptr context = nullptr;
  std::string output;

  // While bytes are received.
  std::string_view input;
  WebSocketEvents* events = nullptr;
  bool in_control_frame = false;
  std::optional<Error> error;

  ~State() { wslay_event_context_free(context); }

  // Hands what is queued to `output`.
  void Flush() { CHECK(wslay_event_send(context) == 0); }

  // What an event handler said; its error ends the connection.
  void Heed(Result<void> result) {
    if (result || error) return;
    error = std::move(result).error();
    wslay_event_shutdown_read(context);
    wslay_event_queue_close(context, WSLAY_CODE_PROTOCOL_ERROR, nullptr, 0);
  }

  // wslay asks for bytes, gives bytes, and tells what it read.
  static wslay_event_callbacks Callbacks();
  static State& Of(void* user) { return *static_cast<State*>(user); }
};

wslay_event_callbacks WebSocket::State::Callbacks() {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = [](wslay_event_context_ptr context, uint8_t* buffer, size_t size, int, void* user) {
    State& state = Of(user);
    const size_t taken = std::min(size, state.input.size());
    if (taken == 0) {
      wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return static_cast<ssize_t>(-1);
    }
    std::memcpy(buffer, state.input.data(), taken);
    state.input.remove_prefix(taken);
    return static_cast<ssize_t>(taken);
  };
  callbacks.send_callback = [](wslay_event_context_ptr, const uint8_t* data, size_t size, int, void* user) {
    Of(user).output += Text(data, size);
    return static_cast<ssize_t>(size);
  };
  callbacks.genmask_callback = [](wslay_event_context_ptr, uint8_t* buffer, size_t size, void*) {
    return ::getrandom(buffer, size, 0) == static_cast<ssize_t>(size) ? 0 : -1;
  };
  callbacks.on_frame_recv_start_callback = [](wslay_event_context_ptr, const wslay_event_on_frame_recv_start_arg* frame,
                                              void* user) {
    State& state = Of(user);
    state.in_control_frame = wslay_is_ctrl_frame(frame->opcode) != 0;
    if (state.error) return;
    if (frame->opcode == WSLAY_TEXT_FRAME) state.Heed(state.events->OnMessage(MessageKind::kText));
    if (frame->opcode == WSLAY_BINARY_FRAME) state.Heed(state.events->OnMessage(MessageKind::kBinary));
  };
  callbacks.on_frame_recv_chunk_callback = [](wslay_event_context_ptr, const wslay_event_on_frame_recv_chunk_arg* chunk,
                                              void* user) {
    State& state = Of(user);
    if (state.error || state.in_control_frame || chunk->data_length == 0) return;
    state.Heed(state.events->OnMessagePiece(Text(chunk->data, chunk->data_length)));
  };
  callbacks.on_msg_recv_callback = [](wslay_event_context_ptr context, const wslay_event_on_msg_recv_arg* message,
                                      void* user) {
    State& state = Of(user);
    if (state.error) return;
    if (message->opcode == WSLAY_PING) state.Flush();  // its answer goes even if a close frame is right behind
    if (message->opcode == WSLAY_TEXT_FRAME || message->opcode == WSLAY_BINARY_FRAME) {
      state.Heed(state.events->OnMessageEnd());
    } else if (message->opcode == WSLAY_CONNECTION_CLOSE) {
      constexpr size_t kStatusSize = 2;
      const std::string_view body = Text(message->msg, message->msg_length);
      state.Heed(state.events->OnClosed(wslay_event_get_status_code_received(context),
                                        body.size() > kStatusSize ? body.substr(kStatusSize) : std::string_view()));
    }
  };
  return callbacks;
}

WebSocket::WebSocket(Side side) : state_(std::make_unique<State>()) {
  const wslay_event_callbacks callbacks = State::Callbacks();
  const auto init = side == Side::kServer ? wslay_event_context_server_init : wslay_event_context_client_init;
  CHECK(init(&state_->context, &callbacks, state_.get()) == 0);
  wslay_event_config_set_no_buffering(state_->context, 1);
  wslay_event_config_set_max_recv_msg_length(state_->context, std::numeric_limits<int64_t>::max());
}

WebSocket::~WebSocket() = default;

Result<void> WebSocket::Receive(std::string_view bytes, WebSocketEvents& events) {
  State& state = *state_;
  state.input = bytes;
  state.events = &events;
  const int code = wslay_event_recv(state.context);
  state.input = {};
  state.events = nullptr;
  state.Flush();
  if (state.error) return Failure(*state.error);
  const bool refused =
      wslay_event_get_read_enabled(state.context) == 0 && wslay_event_get_close_received(state.context) == 0;
  if (code != 0 || refused) {
    const uint16_t status = wslay_event_get_status_code_sent(state.context);
    return Fail(Code::kInvalidArgument, "WebSocket frame against RFC 6455 (close status {})",
                status == 0 ? kWebSocketNoStatus : status);
  }
  return {};
}

void WebSocket::Send(MessageKind kind, std::string_view message) {
  const wslay_event_msg queued{OpcodeOf(kind), reinterpret_cast<const uint8_t*>(message.data()), message.size()};
  const int code = wslay_event_queue_msg(state_->context, &queued);
  CHECK(code == 0 || code == WSLAY_ERR_NO_MORE_MSG);
  state_->Flush();
}

void WebSocket::Close() {
  const int code = wslay_event_queue_close(state_->context, kWebSocketNormalClosure, nullptr, 0);
  CHECK(code == 0 || code == WSLAY_ERR_NO_MORE_MSG);
  state_->Flush();
}

std::string& WebSocket::output() { return state_->output; }

}  // namespace portcullis::http
