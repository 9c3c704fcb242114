using System.Net.Sockets;
using System.Text;
using Skep.UnitTests.Daemon.Http.Fakes;

namespace Skep.UnitTests.Daemon.Http.Containers;

public sealed class ExecTests
{
    private const string Web = "ab12";

    [Theory]
    [InlineData("{\"AttachStdout\":true}", "abc", 400, "No exec command specified")]
    [InlineData("{\"Cmd\":[\"echo\"]}", "nosuch", 404, "No such container: nosuch")]
    [InlineData("{\"Cmd\":[\"echo\"]}", "gone", 409, "container cd34000000000000000000000000000000000000000000000000000000000000 is not running")]
    public async Task Creating_is_refused_with_a_status(string body, string reference, int status, string message)
    {
        await using var engine = await StartAsync();
        engine.Runtime.Existing.Add(FakeRuntime.Running("cd34", "gone") with { State = Skep.Agent.Runtime.ContainerState.Exited });
        var answer = await engine.SendAsync("POST", $"/v1.50/containers/{reference}/exec", body);
        Assert.Equal((status, message), (answer.Status, answer.Body.GetProperty("message").GetString()));
    }

    [Fact]
    public async Task A_second_start_and_an_unknown_exec_are_refused_with_a_status()
    {
        await using var engine = await StartAsync();
        var id = await CreateAsync(engine, """{"Cmd":["exit","0"]}""");
        Assert.Equal(200, (await engine.SendAsync("POST", $"/exec/{id}/start", """{"Detach":true}""")).Status);
        Assert.Equal(409, (await engine.SendAsync("POST", $"/exec/{id}/start", """{"Detach":true}""")).Status);
        Assert.Equal(404, (await engine.SendAsync("POST", "/exec/none/start", """{"Detach":true}""")).Status);
    }

    [Fact]
    public async Task A_detached_command_is_not_held_up_by_its_output()
    {
        await using var engine = await StartAsync();
        var id = await CreateAsync(engine, """{"Cmd":["flood","100000"],"AttachStdout":true}""");
        Assert.Equal(200, (await engine.SendAsync("POST", $"/exec/{id}/start", """{"Detach":true}""")).Status);
        Assert.Equal(3, await engine.Runtime.FindExec(id).WaitAsync(default).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task A_command_whose_client_left_is_not_held_up_by_its_output()
    {
        await using var engine = await StartAsync();
        var id = await CreateAsync(engine, """{"Cmd":["flood","3000000"],"AttachStdout":true}""");
        using (var socket = await engine.ConnectAsync())
        {
            await SendStartAsync(socket, id);
            Assert.True(await socket.ReceiveAsync(new byte[16]) > 0);
        }

        Assert.Equal(3, await engine.Runtime.FindExec(id).WaitAsync(default).WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task The_code_is_known_when_the_connection_closes()
    {
        await using var engine = await StartAsync();
        for (var round = 0; round < 20; round++)
        {
            var id = await CreateAsync(engine, """{"Cmd":["flood","70000"],"AttachStdout":true,"AttachStderr":true}""");
            using var socket = await engine.ConnectAsync();
            await SendStartAsync(socket, id);
            var bytes = await ReadAllAsync(socket, halfClose: round % 2 == 0);
            Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n", Encoding.ASCII.GetString(bytes), StringComparison.Ordinal);
            Assert.Equal(70000, Payload(bytes));
            var inspected = await engine.GetAsync($"/exec/{id}/json");
            Assert.False(inspected.GetProperty("Running").GetBoolean());
            Assert.Equal(3, inspected.GetProperty("ExitCode").GetInt32());
        }
    }

    [Fact]
    public async Task A_terminal_is_raw_and_gets_its_size()
    {
        await using var engine = await StartAsync();
        var id = await CreateAsync(engine, """{"Cmd":["echo","hi"],"AttachStdout":true,"Tty":true}""");
        using var socket = await engine.ConnectAsync();
        await SendStartAsync(socket, id, """{"Tty":true,"ConsoleSize":[40,120]}""");
        var text = Encoding.ASCII.GetString(await ReadAllAsync(socket));
        Assert.Contains("Content-Type: application/vnd.docker.raw-stream\r\n", text, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nhi\n", text, StringComparison.Ordinal);
        Assert.Equal((120u, 40u), ((FakeExec)engine.Runtime.FindExec(id)).Size);
        Assert.Equal(200, (await engine.SendAsync("POST", $"/exec/{id}/resize?h=5&w=6")).Status);
        Assert.Equal((6u, 5u), ((FakeExec)engine.Runtime.FindExec(id)).Size);
    }

    [Theory]
    [InlineData("hello world\n", "", 0, null, "echo", "hello", "world")]
    [InlineData("out\n", "err\n", 0, null, "both")]
    [InlineData("", "", 7, null, "exit", "7")]
    [InlineData("one\ntwo\n", "", 0, "one\ntwo\n", "cat")]
    [InlineData("exec: \"nosuch\": executable file not found in $PATH: unknown\r\n", "", 127, null, "nosuch")]
    public async Task The_cli_runs_commands(string output, string errors, int code, string? input, params string[] command)
    {
        Assert.SkipUnless(DockerCli.IsThere, "the docker CLI is not installed");
        await using var engine = await StartAsync();
        string[] arguments = input is null ? ["exec", "web", .. command] : ["exec", "-i", "web", .. command];
        Assert.Equal((code, output, errors), await DockerCli.RunAsync(engine, input, arguments));
    }

    private static async Task<EngineFixture> StartAsync()
    {
        var engine = await EngineFixture.StartAsync();
        engine.Runtime.Existing.Add(FakeRuntime.Running(Web, "web"));
        engine.Runtime.Existing.Add(FakeRuntime.Running("abc", "other"));
        return engine;
    }

    private static async Task<string> CreateAsync(EngineFixture engine, string json)
    {
        var (status, body) = await engine.SendAsync("POST", "/v1.50/containers/web/exec", json);
        Assert.Equal(201, status);
        return body.GetProperty("Id").GetString()!;
    }

    private static async Task SendStartAsync(Socket socket, string id, string body = "{}") => await socket.SendAsync(Encoding.ASCII.GetBytes(
        $"POST /v1.50/exec/{id}/start HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n{body}"));

    private static async Task<byte[]> ReadAllAsync(Socket socket, bool halfClose = false)
    {
        using var all = new MemoryStream();
        var buffer = new byte[64 * 1024];
        int length;
        while ((length = await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(10))) > 0)
        {
            all.Write(buffer, 0, length);
            if (halfClose)
            {
                socket.Shutdown(SocketShutdown.Send);
                halfClose = false;
            }
        }

        return all.ToArray();
    }

    /// <summary>Bytes in frames of stdout after the head.</summary>
    private static int Payload(ReadOnlySpan<byte> answer)
    {
        var rest = answer[(answer.IndexOf("\r\n\r\n"u8) + 4)..];
        var total = 0;
        while (rest.Length > 0)
        {
            Assert.Equal(1, rest[0]);
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(rest[4..]);
            total += length;
            rest = rest[(8 + length)..];
        }

        return total;
    }
}
