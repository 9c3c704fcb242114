using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Skep.Daemon.Http.Infrastructure;
using Skep.Model.Errors;

namespace Skep.UnitTests.Daemon.Http;

public sealed partial class InfrastructureTests
{
    [Fact]
    public async Task Ping_says_version_and_part_in_the_swarm()
    {
        await using var engine = await EngineFixture.StartAsync();
        using var head = await engine.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/_ping"));
        Assert.Equal("1.50", head.Headers.GetValues("Api-Version").Single());
        Assert.Equal("linux", head.Headers.GetValues("Ostype").Single());
        Assert.Equal("inactive", head.Headers.GetValues("Swarm").Single());
        Assert.Equal("text/plain; charset=utf-8", head.Content.Headers.ContentType!.ToString());
        await engine.Swarm.BecomeManagerAsync();
        using var get = await engine.Http.GetAsync("/v1.24/_ping");
        Assert.Equal("OK", await get.Content.ReadAsStringAsync());
        Assert.Equal("active/manager", get.Headers.GetValues("Swarm").Single());
    }

    [Theory]
    [InlineData("GET", "/v1.23/_ping", 400, "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version")]
    [InlineData("GET", "/v1.51/_ping", 400, "client version 1.51 is too new. Maximum supported API version is 1.50")]
    [InlineData("GET", "/v1.50/nosuch", 404, "page not found")]
    [InlineData("DELETE", "/v1.50/_ping", 404, "page not found")]
    [InlineData("GET", "/v1.50/secrets/none", 404, "secret none not found")]
    [InlineData("GET", "/v1.50/plugins/a/b/c/json", 404, "plugin \"a/b/c\" not found")]
    public async Task Refusals_are_json_with_a_message(string method, string path, int status, string message)
    {
        await using var engine = await EngineFixture.StartAsync();
        using var response = await engine.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/json", response.Content.Headers.ContentType!.ToString());
        Assert.Equal($"{{\"message\":\"{message.Replace("\"", "\\\"", StringComparison.Ordinal)}\"}}\n", await response.Content.ReadAsStringAsync());
        Assert.Equal("1.50", response.Headers.GetValues("Api-Version").Single());
    }

    [Fact]
    public void Every_kind_of_refusal_has_a_status()
    {
        foreach (var kind in Enum.GetValues<ErrorKind>())
        {
            Assert.InRange(StatusCodesOf.Http(kind), 400, 503);
        }
    }

    [Theory]
    [InlineData("{\"name\":\"x\"}", "application/json", 200, "")]
    [InlineData("{\"Name\":\"x\"} ", "application/json; charset=utf-8", 200, "")]
    [InlineData("{\"Name\":\"x\"}{}", "application/json", 400, "invalid JSON")]
    [InlineData("{\"Name\":", "application/json", 400, "invalid JSON")]
    [InlineData("{\"Name\":1}", "application/json", 400, "$.Name")]
    [InlineData("{}", "text/plain", 400, "unsupported Content-Type header (text/plain): must be 'application/json'")]
    [InlineData("{}", null, 400, "malformed Content-Type header")]
    [InlineData("", null, 400, "EOF")]
    public async Task Bodies_are_one_json_object(string body, string? contentType, int status, string part)
    {
        await using var engine = await EngineFixture.StartAsync(routes => routes.MapPost(
            "/t", (RequestDelegate)(async c => await c.WriteJsonAsync(await c.ReadJsonAsync(Json.Default.Named), Json.Default.Named))));
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        using var response = await engine.Http.PostAsync("/v1.50/t", content);
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Contains(part, text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Answers_do_not_escape_for_html()
    {
        await using var engine = await EngineFixture.StartAsync(routes => routes.MapGet(
            "/t", (RequestDelegate)(c => c.WriteJsonAsync(new Named("<a&b> 'ü'"), Json.Default.Named))));
        Assert.Equal("{\"Name\":\"<a&b> 'ü'\"}\n", await engine.Http.GetStringAsync("/t"));
    }

    [Fact]
    public async Task The_client_closing_its_side_is_end_of_file_and_output_goes_on()
    {
        await using var engine = await EngineFixture.StartAsync(routes => routes.MapPost("/t", (RequestDelegate)(async c =>
        {
            var named = await c.ReadJsonAsync(Json.Default.Named);
            await c.HijackAsync(FrameWriter.Raw, async (stream, cancellationToken) =>
            {
                using var input = new MemoryStream();
                await stream.CopyToAsync(input, cancellationToken);
                await stream.WriteAsync(Encoding.ASCII.GetBytes($"{named.Name} read {Encoding.ASCII.GetString(input.ToArray())}"), cancellationToken);
                await stream.WriteAsync(new byte[1 << 20], cancellationToken);
            });
        })));
        using var socket = await engine.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(
            "POST /v1.50/t HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: 14\r\n\r\n{\"Name\":\"abc\"}"));
        var head = await ReadHeadAsync(socket);
        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n", head, StringComparison.Ordinal);
        await socket.SendAsync("one "u8.ToArray());
        await socket.SendAsync("two"u8.ToArray());
        socket.Shutdown(SocketShutdown.Send);
        using var rest = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int length;
        while ((length = await socket.ReceiveAsync(buffer)) > 0)
        {
            rest.Write(buffer, 0, length);
        }

        Assert.Equal("abc read one two", Encoding.ASCII.GetString(rest.ToArray(), 0, 16));
        Assert.Equal(16 + (1 << 20), rest.Length);
    }

    [Fact]
    public async Task A_client_that_is_not_heard_any_more_still_gets_all_output()
    {
        const int sent = 4 << 20;
        await using var engine = await EngineFixture.StartAsync(routes => routes.MapPost("/t", (RequestDelegate)(c =>
            c.HijackAsync(FrameWriter.Raw, (stream, cancellationToken) => stream.WriteAsync(new byte[1000], cancellationToken).AsTask()))));
        using var socket = await engine.ConnectAsync();
        await socket.SendAsync("POST /v1.50/t HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
        var head = await ReadHeadAsync(socket);
        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\n", head, StringComparison.Ordinal);

        // More than the server's buffers take: were the socket closed over it, this side would be reset in the middle.
        var input = socket.SendAsync(new byte[sent]);
        var (buffer, rest) = (new byte[4096], 0);
        int length;
        while ((length = await socket.ReceiveAsync(buffer)) > 0)
        {
            rest += length;
        }

        Assert.Equal(1000, rest);
        Assert.Equal(sent, await input);
    }

    [Fact]
    public async Task A_client_that_leaves_cancels_its_request()
    {
        var gone = new TaskCompletionSource();
        await using var engine = await EngineFixture.StartAsync(routes => routes.MapGet("/t", (RequestDelegate)(async c =>
        {
            await c.BeginStreamAsync("application/json");
            using var registration = c.RequestAborted.Register(gone.SetResult);
            await gone.Task;
        })));
        using (var response = await engine.Http.GetAsync("/t", HttpCompletionOption.ResponseHeadersRead))
        {
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await gone.Task.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task The_socket_is_for_its_owner_and_group()
    {
        await using var engine = await EngineFixture.StartAsync();
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        Assert.Equal("rw-rw----", Mode(File.GetUnixFileMode(engine.SocketPath)));
    }

    private static string Mode(UnixFileMode mode) =>
        string.Concat("rwxrwxrwx".Select((c, i) => ((int)mode & (1 << (8 - i))) != 0 ? c : '-'));

    private static async Task<string> ReadHeadAsync(Socket socket)
    {
        var text = new StringBuilder();
        var one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            Assert.Equal(1, await socket.ReceiveAsync(one));
            text.Append((char)one[0]);
        }

        return text.ToString();
    }

    internal sealed record Named(string Name);

    [JsonSourceGenerationOptions(PropertyNameCaseInsensitive = true)]
    [JsonSerializable(typeof(Named))]
    private sealed partial class Json : JsonSerializerContext;
}
